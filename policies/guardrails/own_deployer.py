"""The limits of a pipeline's role: the table that applies to its policy, and the condition that each action needs.

Owns the conditions. Leaves out the tables (`own_deployer_grants`) and who may assume the role (`trust`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .config import Config
from .iam.documents import Condition, Statement
from .iam.patterns import covers
from .own_deployer_grants import (
    EVERYTHING,
    EVERYTHING_STATE,
    TENANTS,
    TENANTS_STATE,
    cells_policy,
    governed,
    rotators,
)
from .own_grants import CRYPTOGRAPHY
from .via_service import through_secrets_manager

NEVER: Final = (
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "sts:AssumeRole",
)
_ROTATES: Final = frozenset({"secretsmanager:rotatesecret", "secretsmanager:cancelrotatesecret"})
_ROTATED_BY: Final = "secretsmanager:rotationlambdaarn"
_EXACT: Final = ("stringequals", "arnequals", "bool")


def deploys(name: Any, cell: str, config: Config) -> str:
    """The table that applies to the role's policy with this name. For any other name, and for the cells in
    `tenants_pipelines`, it is TENANTS, the narrower one."""
    return EVERYTHING if name == EVERYTHING and cell not in config.tenants_pipelines else TENANTS


def states(kind: str, cell: str, config: Config) -> str:
    """The table that applies to the policy on the stacks' state. For the cells in `tenants_pipelines` it is
    TENANTS_STATE, whatever the policy's name."""
    return TENANTS_STATE if cell in config.tenants_pipelines else kind


def unmet(kind: str, cell: str, statement: Statement) -> str:
    """Which condition an Allow lacks; empty if none. `kind` is the table. The tables of the stacks' state need none:
    the KMS key there is of Pulumi's secrets provider, not of secrets."""
    if kind in (TENANTS_STATE, EVERYTHING_STATE):
        return ""
    for action, demands in _demands(cell).items():
        for key, value in demands.items() if statement.names(action) else ():
            if not any(_only(condition, value) for condition in statement.on(key)):
                return f"allows {action} without a condition on {key}"
    uses_a_key = any(statement.names(action) for action in CRYPTOGRAPHY)
    if uses_a_key and (wrong := through_secrets_manager(statement, governed(kind, cell))):
        return wrong
    if statement.names("kms:ScheduleKeyDeletion") and not any(_no_platform(c) for c in statement.conditions):
        return "allows kms:ScheduleKeyDeletion on the platform's own key"
    if any(statement.names(one) for one in _ROTATES) and not any(
        rotated_by_ours(statement, condition, rotators(kind, cell)) for condition in statement.on(_ROTATED_BY)
    ):
        return "allows rotation by a function that is not the cell's"
    return ""


def rotated_by_ours(statement: Statement, condition: Condition, functions: tuple[str, ...]) -> bool:
    """Whether only `functions` may be set to rotate. The request has the condition key only if it sets a function:
    RotateSecret without one uses the function that is set, and CancelRotateSecret never has one. So the key may be
    absent."""
    return (
        condition.key == _ROTATED_BY
        and condition.operator in ("stringequals", "arnequals")
        and not condition.over
        and {action.lower() for action in statement.actions} <= _ROTATES
        and bool(condition.values)
        and all(any(covers(one, value) for one in functions) for value in condition.values)
    )


def denies_values(statements: tuple[Statement, ...]) -> bool:
    """Whether reading or writing a secret's value and assuming another role are denied without conditions."""
    shut = [
        one
        for one in statements
        if not (one.allows or one.conditions or one.but_resources or one.principals) and "*" in one.resources
    ]
    return all(any(one.names(action) for one in shut) for action in NEVER)


def _only(condition: Condition, pattern: str) -> bool:
    """Whether the condition holds only if the key is present and matches `pattern`."""
    exact = condition.operator in _EXACT and not condition.over and not condition.passes_when_absent
    return exact and bool(condition.values) and all(covers(pattern, value) for value in condition.values)


def _no_platform(condition: Condition) -> bool:
    turned = condition.operator == "stringnotequals" and not condition.over
    return turned and condition.key == "aws:resourcetag/tenant" and condition.values == ("_platform",)


def _demands(cell: str) -> Mapping[str, Mapping[str, str]]:
    """Action to the condition keys that it needs, each with the pattern of its values."""
    bounded = {"iam:PermissionsBoundary": cells_policy(cell, "boundary")}
    attached = bounded | {"iam:PolicyARN": cells_policy(cell, "read")}
    tagged = {"aws:ResourceTag/cell": cell}
    tried = {"kms:EncryptionContext:SecretVersionId": "RequestToValidateKeyAccess"}
    return {
        "iam:CreateRole": bounded,
        "iam:PutRolePermissionsBoundary": bounded,
        "iam:PutRolePolicy": bounded,
        "iam:DeleteRolePolicy": bounded,
        "iam:AttachRolePolicy": attached,
        "iam:DetachRolePolicy": attached,
        "iam:PassRole": {"iam:PassedToService": "lambda.amazonaws.com"},
        "kms:Decrypt": tried,
        "kms:GenerateDataKey": tried,
        "kms:TagResource": {"aws:RequestTag/cell": cell},
        "kms:EnableKeyRotation": tagged,
        "kms:UntagResource": tagged,
        "kms:UpdateKeyDescription": tagged,
        "kms:ScheduleKeyDeletion": tagged,
        "secretsmanager:PutResourcePolicy": {"secretsmanager:BlockPublicPolicy": "true"},
    }
