"""The policies of a bootstrap: their length, and what the local cell's evaluator and the solver say of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import z3

from components.connect import INTAKE, LINK
from components.iam.bootstrap_permissions import bootstrap_deletion, bootstrap_permissions
from components.iam.people import STATE, people_limit
from components.iam.state_store import state_bucket, state_key
from components.iam.statements import Document
from local.aws.iam import decision, policy, principals
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import CONNECT, HEALTH
from ops.isolation.decision import Caller, Lock, Request, allowed
from ops.isolation.policy import parse
from ops.isolation.terms import Key, holds, known_arn, text
from ops.stacks.backend import BOOTSTRAP, PROJECT

NAMES = CellNames("prod-eu1", "123456789012", "eu-central-1")
LONGEST = CellNames("abcdefghij-klmnopqrs", "123456789012", "us-gov-west-1", "aws-us-gov")
GITHUB = "token.actions.githubusercontent.com"
MOST = 6_144
"""Characters of a managed policy, without white space:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:myflux/prod-eu1/acme/openai-abcdef"
LIMIT, BOUNDARY = NAMES.policy_arn(NAMES.people_role), NAMES.policy_arn(NAMES.boundary_policy)
PEOPLE, RUNTIME = NAMES.role_arn(NAMES.people_role), NAMES.runtime_role_arn
FOUNDER = "arn:aws:iam::123456789012:user/founder"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
OURS = {"aws:ResourceTag/cell": "prod-eu1", "aws:ResourceTag/purpose": "pulumi-state"}
FOUNDERS, ENDS, PEOPLES = (
    bootstrap_permissions(NAMES, BOOTSTRAP, GITHUB),
    bootstrap_deletion(NAMES, GITHUB),
    people_limit(NAMES, PROJECT),
)


@pytest.mark.parametrize("names", [NAMES, LONGEST])
def test_each_fits_a_managed_policy_whatever_the_cells_name(names: CellNames) -> None:
    for document in (
        people_limit(names, PROJECT),
        bootstrap_permissions(names, BOOTSTRAP, GITHUB),
        bootstrap_deletion(names, GITHUB),
    ):
        assert len(re.sub(r"\s", "", json.dumps(document))) <= MOST


def by_evaluator(document: Document, who: str, action: str, resource: str, keys: dict[str, str]) -> bool:
    """As the local cell decides it."""
    caller = principals.Caller("User", who, NAMES.account_id)
    asked = decision.Request(action, resource, {name.lower(): value for name, value in keys.items()})
    return decision.decide(caller, asked, decision.Policies(policy.parse(document))).allowed


def by_solver(document: Document, who: str, action: str, resource: str, keys: dict[str, str]) -> bool:
    """As the proof's own model decides it; a key that is not in `keys` is absent."""
    known: dict[str, Key] = {name.lower(): Key(()) for name in _KEYS}
    for name, value in keys.items():
        known |= holds(name, value)
    caller = Caller(
        known_arn(who),
        z3.StringVal(NAMES.account_id),
        z3.BoolVal(False),
        text(who),
        [parse("p", json.dumps(document))],
        None,
    )
    request = Request(action, known_arn(resource), z3.StringVal(NAMES.account_id), known)
    nothing = parse("lock", '{"Version": "2012-10-17", "Statement": []}')
    answer = z3.simplify(allowed(caller, request, Lock(nothing)))
    assert z3.is_true(answer) or z3.is_false(answer), answer
    return z3.is_true(answer)


_KEYS = (
    "aws:RequestTag/cell", "aws:RequestTag/purpose", "aws:ResourceTag/cell", "aws:ResourceTag/purpose",
    "iam:PassedToService", "iam:PermissionsBoundary", "iam:PolicyARN", "kms:ViaService",
    "kms:EncryptionContext:SecretARN",
)  # fmt: skip

Asked = tuple[str, str, dict[str, str]]
BOUND = "iam:PermissionsBoundary"
MADE_OURS = {"aws:RequestTag/cell": "prod-eu1", "aws:RequestTag/purpose": STATE}
LONGER = CellNames("prod-eu1-blue", "123456789012", "eu-central-1")
LIMITS_OF_A_LONGER_NAME = (
    ("iam:CreatePolicyVersion", LONGER.policy_arn(LONGER.people_role)),
    ("iam:CreatePolicy", LONGER.policy_arn(LONGER.boundary_policy)),
    ("iam:DeletePolicy", LONGER.policy_arn(LONGER.boundary_policy)),
    ("iam:UpdateAssumeRolePolicy", LONGER.role_arn(LONGER.people_role)),
)
"""Of another cell in the account: whoever rewrites what limits its people's role can become an administrator by it."""
THROUGH_SECRETS_MANAGER = {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
INTAKES = {"aws:ResourceTag/cell": "prod-eu1", "aws:ResourceTag/purpose": INTAKE}
NEVER_BY_THE_FOUNDER: tuple[Asked, ...] = (
    ("iam:CreateRole", PEOPLE, {}),
    ("iam:CreateRole", PEOPLE, {BOUND: ADMINISTRATOR}),
    ("iam:CreateRole", RUNTIME, {BOUND: LIMIT}),
    ("iam:CreatePolicyVersion", LIMIT, {}),
    ("iam:CreatePolicyVersion", BOUNDARY, {}),
    ("iam:SetDefaultPolicyVersion", LIMIT, {}),
    ("iam:DeletePolicy", LIMIT, {}),
    ("iam:DeleteRolePermissionsBoundary", PEOPLE, {BOUND: LIMIT}),
    ("iam:PutRolePermissionsBoundary", PEOPLE, {BOUND: ADMINISTRATOR}),
    ("iam:AttachUserPolicy", FOUNDER, {"iam:PolicyARN": ADMINISTRATOR}),
    ("iam:AttachRolePolicy", PEOPLE, {BOUND: LIMIT, "iam:PolicyARN": ADMINISTRATOR}),
    ("iam:PutRolePolicy", PEOPLE, {BOUND: LIMIT}),
    ("secretsmanager:GetSecretValue", SECRET, {}),
    ("kms:Decrypt", KEY, {"aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:PutKeyPolicy", KEY, {"aws:ResourceTag/cell": "prod-eu1"}),
    ("s3:GetObject", f"arn:aws:s3:::{NAMES.state_bucket}/.pulumi/stacks/{PROJECT}/acme.prod-eu1.json", {}),
    ("sts:AssumeRole", RUNTIME, {}),
    ("kms:TagResource", KEY, MADE_OURS | {"aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:TagResource", KEY, MADE_OURS | {"aws:ResourceTag/cell": "staging", "aws:ResourceTag/purpose": STATE}),
)
SOMETIMES_BY_THE_FOUNDER: tuple[Asked, ...] = (
    ("iam:CreatePolicy", LIMIT, {}),
    ("iam:CreateRole", PEOPLE, {BOUND: LIMIT}),
    ("iam:AttachRolePolicy", PEOPLE, {BOUND: LIMIT, "iam:PolicyARN": LIMIT}),
    ("kms:Decrypt", KEY, OURS),
    # As IAM asks while a key is made, and for an action that it compares no boundary for.
    ("kms:TagResource", KEY, MADE_OURS),
    ("kms:TagResource", KEY, MADE_OURS | OURS),
    ("iam:UpdateAssumeRolePolicy", PEOPLE, {}),
    # The official provider reads a role so: https://github.com/hashicorp/terraform-provider-aws/blob/v6.0.0/internal/service/iam/role.go
    *((f"iam:{one}", PEOPLE, {}) for one in ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")),
)
NEVER_BY_PEOPLE: tuple[Asked, ...] = (
    ("iam:CreateRole", RUNTIME, {}),
    ("iam:CreateRole", RUNTIME, {BOUND: ADMINISTRATOR}),
    ("iam:CreateRole", "arn:aws:iam::123456789012:role/theirs", {BOUND: LIMIT}),
    ("iam:PutRolePolicy", RUNTIME, {}),
    ("iam:PutRolePolicy", PEOPLE, {BOUND: LIMIT}),
    ("iam:UpdateAssumeRolePolicy", PEOPLE, {BOUND: LIMIT}),
    ("iam:DeleteRolePermissionsBoundary", RUNTIME, {BOUND: BOUNDARY}),
    ("iam:CreatePolicyVersion", LIMIT, {}),
    ("iam:CreatePolicyVersion", BOUNDARY, {}),
    ("iam:CreatePolicy", BOUNDARY, {}),
    ("iam:AttachUserPolicy", FOUNDER, {"iam:PolicyARN": ADMINISTRATOR}),
    ("iam:CreateUser", FOUNDER, {}),
    ("secretsmanager:GetSecretValue", SECRET, {}),
    ("secretsmanager:BatchGetSecretValue", SECRET, {}),
    ("sts:AssumeRole", RUNTIME, {}),
    ("kms:Decrypt", KEY, {"aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:ScheduleKeyDeletion", KEY, OURS),
    ("kms:PutKeyPolicy", KEY, OURS),
    ("kms:UntagResource", KEY, OURS),
    ("kms:TagResource", KEY, {"aws:RequestTag/cell": "prod-eu1"} | OURS),
    ("kms:TagResource", KEY, {"aws:RequestTag/cell": "prod-eu1", "aws:ResourceTag/cell": "staging"}),
    ("kms:TagResource", KEY, {"aws:RequestTag/purpose": STATE, "aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:TagResource", KEY, MADE_OURS),
    *((action, arn, {}) for action, arn in LIMITS_OF_A_LONGER_NAME),
    ("s3:PutObject", f"arn:aws:s3:::{NAMES.state_bucket}/.pulumi/stacks/{BOOTSTRAP}/prod-eu1.json", {}),
    ("s3:DeleteObjectVersion", f"arn:aws:s3:::{NAMES.state_bucket}/.pulumi/stacks/{PROJECT}/prod-eu1.json", {}),
    ("s3:DeleteBucket", f"arn:aws:s3:::{NAMES.state_bucket}", {}),
    ("s3:CreateBucket", f"arn:aws:s3:::{LONGER.connect_bucket}", {}),
    # To move the name of the state's key, one needs rights to the key too.
    ("kms:UpdateAlias", KEY, OURS),
    ("kms:GenerateMac", KEY, OURS),
    ("kms:GenerateMac", KEY, {"aws:ResourceTag/cell": "staging"}),
    ("kms:Encrypt", KEY, INTAKES),
    ("kms:Decrypt", KEY, INTAKES),
    ("kms:Decrypt", KEY, THROUGH_SECRETS_MANAGER | {"aws:ResourceTag/cell": "staging"}),
    ("kms:Decrypt", KEY, THROUGH_SECRETS_MANAGER),
)
SOMETIMES_BY_PEOPLE: tuple[Asked, ...] = (
    # `usage` asks the health function.
    ("lambda:InvokeFunction", NAMES.function_arn(HEALTH), {}),
    ("iam:CreateRole", RUNTIME, {BOUND: BOUNDARY}),
    ("iam:CreateRole", NAMES.role_arn(NAMES.deployer_role), {BOUND: LIMIT}),
    ("secretsmanager:PutSecretValue", SECRET, {}),
    ("kms:Decrypt", KEY, OURS),
    ("kms:ScheduleKeyDeletion", KEY, {"aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:TagResource", KEY, {"aws:RequestTag/cell": "prod-eu1"}),
    ("kms:TagResource", KEY, {"aws:RequestTag/cell": "prod-eu1", "aws:ResourceTag/cell": "prod-eu1"}),
    ("kms:Decrypt", KEY, THROUGH_SECRETS_MANAGER | {"aws:ResourceTag/cell": "prod-eu1"}),
    # Of connect: its bucket, the names of its keys, and to sign links.
    ("s3:PutBucketPolicy", f"arn:aws:s3:::{NAMES.connect_bucket}", {}),
    ("s3:PutObject", f"arn:aws:s3:::{NAMES.connect_bucket}/links/acme/1.json", {}),
    *(
        ("kms:CreateAlias", f"arn:aws:kms:eu-central-1:123456789012:{alias}", {})
        for alias in (NAMES.intake_kms_alias, NAMES.link_kms_alias)
    ),
    ("kms:GenerateMac", KEY, {"aws:ResourceTag/cell": "prod-eu1", "aws:ResourceTag/purpose": LINK}),
    ("lambda:CreateFunctionUrlConfig", NAMES.function_arn(CONNECT), {}),
    # A tenant may be called anything.
    ("iam:CreateRole", NAMES.tenant("sales-people").dedicated_role_arn, {BOUND: BOUNDARY}),
    ("s3:PutObject", f"arn:aws:s3:::{NAMES.state_bucket}/.pulumi/stacks/{PROJECT}/prod-eu1.json", {}),
)


@pytest.mark.parametrize("decided", [by_evaluator, by_solver])
def test_neither_the_founder_nor_people_are_administrators_in_disguise(decided: Any) -> None:
    for document, who, asked in (
        (FOUNDERS, FOUNDER, NEVER_BY_THE_FOUNDER),
        (PEOPLES, "arn:aws:iam::123456789012:user/alice", NEVER_BY_PEOPLE),
    ):
        for action, resource, keys in asked:
            assert not decided(document, who, action, resource, keys), (action, resource, keys)
    for document, asked in ((FOUNDERS, SOMETIMES_BY_THE_FOUNDER), (PEOPLES, SOMETIMES_BY_PEOPLE)):
        for action, resource, keys in asked:
            assert decided(document, FOUNDER, action, resource, keys), (action, resource, keys)


def test_who_deletes_a_cell_makes_nothing() -> None:
    for action in ("iam:CreateRole", "iam:CreatePolicy", "iam:AttachRolePolicy", "kms:CreateKey", "s3:CreateBucket"):
        assert not any(action in statement["Action"] for statement in ENDS["Statement"])


def test_the_bucket_is_for_this_account_by_tls_alone() -> None:
    found = policy.parse(state_bucket(NAMES))

    def reads(account: str, secure: str) -> bool:
        who = principals.Caller("User", f"arn:aws:iam::{account}:user/u", account)
        keys = {"aws:principalaccount": account, "aws:securetransport": secure}
        asked = decision.Request("s3:GetObject", f"arn:aws:s3:::{NAMES.state_bucket}/x", keys)
        everything = policy.parse(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        )
        held = decision.ResourcePolicy(found, NAMES.account_id)
        return decision.decide(who, asked, decision.Policies(everything, resource=held)).allowed

    assert reads(NAMES.account_id, "true")
    assert not reads(NAMES.account_id, "false")
    assert not reads("444455556666", "true")


def test_the_states_key_leaves_its_use_to_the_accounts_own_policies() -> None:
    for statement in state_key(NAMES)["Statement"]:
        assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
        assert not any("*" in action for action in statement["Action"])
