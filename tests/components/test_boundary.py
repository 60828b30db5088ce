"""The boundary of a cell's roles, judged by the local cell's evaluator: whatever is attached to a role later, this is
the most that it does, and it is enough for what each role is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.iam import identity
from components.iam.boundary import permissions_boundary
from components.iam.handover import handover_read
from components.iam.statements import Document, document
from local.aws.iam.decision import Policies, Request, decide
from local.aws.iam.policy import parse
from local.aws.iam.principals import Caller
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS

EVERYTHING = parse(document({"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}))
NEVER = (
    "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:PutResourcePolicy",
    "secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:RotateSecret",
    "secretsmanager:BatchGetSecretValue", "secretsmanager:ReplicateSecretToRegions", "secretsmanager:UpdateSecret",
    "kms:Encrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:ReEncryptFrom",
    "iam:PassRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:CreateAccessKey",
    "iam:DeleteRolePermissionsBoundary", "sts:AssumeRole", "sts:TagSession", "lambda:InvokeFunction",
    "lambda:UpdateFunctionCode", "logs:GetLogEvents", "logs:DeleteLogGroup", "s3:GetObject", "sqs:ReceiveMessage",
    "ec2:RunInstances", "cloudtrail:StopLogging",
)  # fmt: skip


def may(cell: CellNames, action: str, resource: str, **keys: str) -> bool:
    """Whether a role that is given everything may do this within the boundary."""
    role = cell.runtime_role_arn
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/work"
    caller = Caller("AssumedRole", session, cell.account_id, role)
    asked = Request(action, resource, {name.lower(): value for name, value in keys.items()})
    return decide(caller, asked, Policies(EVERYTHING, parse(permissions_boundary(cell)))).allowed


def some(pattern: str) -> str:
    return pattern.replace("${aws:PrincipalTag/tenant}", "acme").replace("*", "acme").replace("?", "x")


@pytest.mark.parametrize("action", NEVER)
def test_a_role_that_is_given_everything_still_never_does(cell: CellNames, action: str) -> None:
    for resource in ("*", some(cell.tenant("acme").secret_arn_pattern), cell.role_arn(cell.rotation_function)):
        assert not may(cell, action, resource)


def test_it_ends_at_the_cells_own_secrets(cell: CellNames) -> None:
    assert may(cell, "secretsmanager:GetSecretValue", some(cell.tenant("acme").secret_arn_pattern))
    elsewhere = (
        CellNames("prod-eu2", cell.account_id, cell.region),
        CellNames(cell.cell, "444455556666", cell.region),
        CellNames(cell.cell, cell.account_id, "us-east-1"),
    )
    for other in elsewhere:
        for pattern in (other.tenant("acme").secret_arn_pattern, other.admin_secret_arn_pattern):
            assert not may(cell, "secretsmanager:GetSecretValue", some(pattern)), pattern


def test_a_key_decrypts_through_secrets_manager_for_this_cells_secrets_alone(cell: CellNames) -> None:
    key = f"arn:aws:kms:{cell.region}:{cell.account_id}:key/1"
    via = {"kms:ViaService": f"secretsmanager.{cell.region}.amazonaws.com"}
    own = {"kms:EncryptionContext:SecretARN": some(cell.tenant("acme").secret_arn_pattern)}
    other = CellNames("prod-eu2", cell.account_id, cell.region).tenant("acme")
    assert may(cell, "kms:Decrypt", key, **via, **own)
    assert not may(cell, "kms:Decrypt", key)
    assert not may(cell, "kms:Decrypt", key, **own), "a direct call, whatever context it gives"
    assert not may(cell, "kms:Decrypt", key, **via)
    theirs = {"kms:EncryptionContext:SecretARN": some(other.secret_arn_pattern)}
    assert not may(cell, "kms:Decrypt", key, **via, **theirs)


def test_a_token_is_for_the_cells_audience_alone(cell: CellNames) -> None:
    """Whatever a role is given: a token for another service, or for another cell, is not among it."""
    ask, key = "sts:GetWebIdentityToken", "sts:IdentityTokenAudience"
    assert may(cell, ask, "*", **{key: "myflux-prod-eu1"})
    for audience in ("myflux-prod-eu2", "https://api.openai.com/v1", "myflux-prod-eu1x"):
        assert not may(cell, ask, "*", **{key: audience}), audience
    assert not may(cell, ask, "*"), "without an audience"
    assert not may(cell, "sts:TagGetWebIdentityToken", "*", **{key: "myflux-prod-eu1"}), "tags of the caller's choice"


def test_no_role_becomes_another_but_the_runtime(cell: CellNames) -> None:
    assert may(cell, "sts:AssumeRole", cell.runtime_role_arn)
    others = (cell.handover_role_arn, cell.tenant("acme").dedicated_role_arn, cell.role_arn(cell.people_role))
    assert not any(may(cell, "sts:AssumeRole", role) for role in others)


def grants(document: Document) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Action, a resource and condition keys for which each of the document's statements allows it."""

    def listed(value: Any) -> list[str]:
        return [value] if isinstance(value, str) else list(value)

    for statement in document["Statement"]:
        # What a Null condition demands, another one names.
        asked = {operator: tests for operator, tests in statement.get("Condition", {}).items() if operator != "Null"}
        keys = {key: some(listed(value)[0]) for tests in asked.values() for key, value in tests.items()}
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, some(resource) if resource != "*" else "*", keys


def test_it_is_enough_for_everything_that_the_roles_are_for(cell: CellNames) -> None:
    roles = {
        **{one.kind: identity.function_permissions(one, cell, federation=True) for one in FUNCTIONS},
        "runtime": identity.runtime_read(cell, federation=True),
        "dedicated": identity.dedicated_read(cell.tenant("acme")),
        "handover": handover_read(cell),
    }
    for role, permissions in roles.items():
        asked = list(grants(permissions))
        assert asked
        for action, resource, keys in asked:
            assert may(cell, action, resource, **keys), f"the {role} would be denied {action} on {resource}"
