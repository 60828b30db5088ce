"""The pipeline's policy as a document: complete for the program, small enough for AWS, and without a way to a key."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from components.iam import identity
from components.iam.boundary import permissions_boundary
from components.iam.copies import Replica
from components.iam.deployer_calls import BUILD, TENANT_TYPES, look
from components.iam.deployer_connect import deployer_connect, look_at_connect
from components.iam.deployer_permissions import (
    NEVER,
    READ_BESIDE,
    deployer_beside,
    deployer_looks,
    deployer_permissions,
)
from components.iam.deployer_state import State, deployer_state
from components.iam.deployer_trust import Job, deployer_trust
from components.iam.grants import Deploys, Grant
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import HEALTH, ROTATION
from ops.review.rehearsal import rehearse
from tenancy.replicas import MOST

LONGEST = CellNames("prod-eu1-abcdefghijk", "111122223333", "us-gov-west-1", "aws-us-gov")
STATE = State("b" * 63, "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/" + "1" * 36, "p" * 100)
COPIES = [Replica("us-gov-west-1", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-" + "1" * 32)] * MOST
MODES: tuple[Deploys, ...] = ("tenants", "everything")


def allowed(document: dict[str, Any]) -> set[str]:
    return {action for one in document["Statement"] if one["Effect"] == "Allow" for action in one["Action"]}


Right = tuple[str, str, str]
"""An action, a resource and the condition as JSON."""


def rights(statements: list[dict[str, Any]]) -> set[Right]:
    """What the statements allow: an action on a resource of another service is nothing that can happen."""
    return {
        (action, resource, json.dumps(one.get("Condition")))
        for one in statements
        for action in one["Action"]
        for resource in one["Resource"]
        if resource == "*" or resource.split(":")[2] == action.split(":")[0]
    }


def granted(grants: list[Grant]) -> set[Right]:
    return {
        (f"{one.service}:{name}", resource, json.dumps(one.condition))
        for one in grants
        for name in one.actions.split()
        for resource in one.resources
    }


@pytest.mark.parametrize("mode", MODES)
def test_statements_that_list_several_services_allow_what_the_table_grants(mode: Deploys) -> None:
    types = BUILD if mode == "everything" else TENANT_TYPES
    inline = [one for one in deployer_permissions(LONGEST, mode)["Statement"] if one["Effect"] == "Allow"]
    written = [*inline, *deployer_beside(LONGEST, mode)]
    changes = [grant for type_ in types for grant in BUILD[type_](LONGEST, mode)]
    read = [grant for grant in look(LONGEST) if grant.service in READ_BESIDE]
    assert rights(written) == granted([*changes, *read])
    beside = [one for one in deployer_state(LONGEST, mode, STATE)["Statement"] if "Sid" not in one]
    assert beside == deployer_beside(LONGEST, mode), "what the inline policy has no room for is in the other one"
    assert rights(deployer_looks(LONGEST)["Statement"]) | granted(read) == granted(look(LONGEST))
    connect = deployer_connect(LONGEST)["Statement"]
    assert rights(connect) == granted(look_at_connect(LONGEST))
    for one in [*written, *connect]:
        assert "*" not in one["Resource"] or len(one["Resource"]) == 1, "or every action would be on everything"


def test_every_type_of_the_program_has_its_calls() -> None:
    platform, acme = rehearse("local"), rehearse("acme.local")
    assert {made.type for made in acme if made.type.startswith("aws:")} <= TENANT_TYPES
    made = {made.type for made in [*platform, *acme, *rehearse("globex.local")] if made.type.startswith("aws:")}
    assert made - BUILD.keys() == set(), "a pipeline could not deploy these: give them a row in deployer_calls"
    assert BUILD.keys() - made == set(), "nothing makes these any more: their rights are too many"


def test_it_fits_into_what_aws_takes() -> None:
    def size(document: dict[str, Any]) -> int:
        return len(json.dumps(document, separators=(",", ":")))

    assert max(size(deployer_permissions(LONGEST, mode)) for mode in MODES) <= 10_240, "inline policies of one role"
    for written in (
        deployer_looks(LONGEST, COPIES),
        deployer_connect(LONGEST),
        *(deployer_state(LONGEST, mode, STATE) for mode in MODES),
        permissions_boundary(LONGEST, COPIES),
        identity.runtime_read(LONGEST, COPIES),
    ):
        assert size(written) <= 6_144, "a managed policy"
    assert size(identity.function_permissions(ROTATION, LONGEST, COPIES)) <= 10_240, "inline policies of one role"


@pytest.mark.parametrize("mode", MODES)
def test_a_pipeline_reads_the_settings_of_connect_and_nothing_that_was_handed_in(mode: Deploys) -> None:
    read = rights(deployer_connect(LONGEST)["Statement"])
    assert {action.partition(":")[0] for action, _, _ in read} == {"events", "iam", "lambda", "logs", "s3"}
    begins = {action.partition(":")[2] for action, _, _ in read}
    assert {name for name in begins if not name.startswith(("Get", "List", "Describe"))} == set()
    assert "GetObject" not in begins
    assert {place for action, place, _ in read if action.startswith("s3:")} == {LONGEST.connect_bucket_arn}
    every = rights(deployer_looks(LONGEST)["Statement"]) | rights(deployer_state(LONGEST, mode, STATE)["Statement"])
    assert not [place for _, place, _ in every if place.startswith(LONGEST.connect_bucket_arn)]


@pytest.mark.parametrize("mode", MODES)
def test_no_statement_allows_what_is_never_allowed(mode: Deploys) -> None:
    written = deployer_permissions(LONGEST, mode)
    others = (deployer_looks(LONGEST, COPIES), deployer_connect(LONGEST), deployer_state(LONGEST, mode, STATE))
    every = allowed(written).union(*map(allowed, others))
    assert not every & {*NEVER, "iam:DeleteRolePermissionsBoundary", "kms:GenerateMac", "kms:PutKeyPolicy"}
    assert not [action for action in every if "*" in action], "a wildcard would grow with AWS"
    denied = {one["Sid"]: one for one in written["Statement"] if one["Effect"] == "Deny"}
    assert (denied["NeverAValue"]["Action"], denied["NeverAValue"]["Resource"]) == (list(NEVER), "*")
    assert "Condition" not in denied["NeverAValue"], "whatever a secret's policy or a role's trust says"


def test_a_pipeline_of_tenants_touches_nothing_that_decides_who_reads() -> None:
    written = deployer_permissions(LONGEST, "tenants")
    every = allowed(written)
    assert {action.partition(":")[0] for action in every} == {"kms", "lambda", "secretsmanager"}
    assert {action for action in every if action.startswith("lambda:")} == {"lambda:InvokeFunction"}
    assert f"secret:{LONGEST.admin_secret}" not in json.dumps(written)


@pytest.mark.parametrize("mode", MODES)
def test_no_pipeline_asks_the_health_function_for_usage(mode: Deploys) -> None:
    every = rights(deployer_permissions(LONGEST, mode)["Statement"]) | rights(deployer_looks(LONGEST)["Statement"])
    called = {resource for action, resource, _ in every if action == "lambda:InvokeFunction"}
    assert called, "it calls others"
    assert LONGEST.function_arn(HEALTH) not in called


def test_a_pipeline_of_tenants_writes_declarations_and_nothing_else_in_their_bucket() -> None:
    bucket = LONGEST.health_bucket_arn
    found = [right for right in rights(deployer_beside(LONGEST, "tenants")) if right[0].startswith("s3:")]
    assert {(action, resource) for action, resource, _ in found} == {
        ("s3:ListBucket", bucket),
        *((f"s3:{name}", f"{bucket}/declarations/*") for name in ("DeleteObject", "GetObject", "PutObject")),
        ("s3:GetObjectTagging", f"{bucket}/declarations/*"),
        # The nightly look for drift compares the platform too, which wrote this.
        *((f"s3:{name}", f"{bucket}/catalogue.json") for name in ("GetObject", "GetObjectTagging")),
    }
    everything = rights(deployer_beside(LONGEST, "everything"))
    assert not [one for one in everything if one[1].endswith("/health/*")]
    written = {resource for action, resource, _ in everything if action == "s3:PutObject"}
    assert written == {f"{bucket}/declarations/*", f"{bucket}/catalogue.json"}, "not what the function remembers"


def test_a_pipeline_of_tenants_may_leave_and_remove_their_marks_and_none_of_a_platform() -> None:
    """`ops/stacks/mark_place.py` names a mark as the state's own files begin: it needs no right of its own."""
    wanted = {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
    written = [
        pattern
        for one in deployer_state(LONGEST, "tenants", STATE)["Statement"]
        if wanted <= set(one["Action"])
        for pattern in one["Resource"]
    ]

    def covers(stack: str) -> bool:
        key = f"arn:{LONGEST.partition}:s3:::{STATE.bucket}/.pulumi/stacks/{STATE.project}/{stack}.json.mark"
        return any(fnmatchcase(key, pattern) for pattern in written)

    assert covers(f"acme.{LONGEST.cell}")
    assert not covers(LONGEST.cell)
    assert not covers("acme.another-cell")


def test_roles_are_passed_to_lambda_alone_and_made_within_the_boundary_alone() -> None:
    statements = deployer_permissions(LONGEST, "everything")["Statement"]
    (passed,) = [one for one in statements if "iam:PassRole" in one["Action"]]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    assert LONGEST.runtime_role_arn not in passed["Resource"]
    (made,) = [one for one in statements if "iam:CreateRole" in one["Action"]]
    boundary = LONGEST.policy_arn(LONGEST.boundary_policy)
    assert made["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    own = LONGEST.role_arn(LONGEST.deployer_role)
    assert not [one for one in statements if one["Effect"] == "Allow" and own in one["Resource"]]


def test_the_trust_is_equal_to_one_subject() -> None:
    (statement,) = deployer_trust(LONGEST, Job("gitlab.com", "sts.amazonaws.com", "project_path:a/b:x"))["Statement"]
    assert statement["Principal"]["Federated"].endswith(":oidc-provider/gitlab.com")
    assert statement["Condition"] == {
        "StringEquals": {"gitlab.com:aud": "sts.amazonaws.com", "gitlab.com:sub": "project_path:a/b:x"}
    }
