"""What a document's Allow statements allow that its own Deny statements do not deny."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .documents import Statement
from .patterns import complete, covers, in_its_partition

READ: Final = ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
WRITE: Final = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
GOVERN: Final = (
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RestoreSecret",
    "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:TagResource",
    "secretsmanager:UntagResource",
    "secretsmanager:UpdateSecret",
)
TAG: Final = ("secretsmanager:TagResource", "secretsmanager:UntagResource")
TAKE_A_ROLE: Final = (
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
TAKE_A_POLICY: Final = (
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
)
TAKE_A_FUNCTION: Final = (
    "lambda:AddPermission",
    "lambda:CreateFunctionUrlConfig",
    "lambda:DeleteFunction",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutRuntimeManagementConfig",
    "lambda:RemovePermission",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:UpdateFunctionEventInvokeConfig",
)
CALL_A_FUNCTION: Final = ("lambda:InvokeFunction", "lambda:InvokeAsync")
"""In the function's own account, such an Allow is enough: the function's policy need not name the caller.
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"""
CALL_BY_A_RULE: Final = ("events:PutRule", "events:PutTargets")
"""Whoever sets a rule's schedule, or its target's input, calls the function when and with what they want."""
GOVERN_A_KEY: Final = (
    "kms:CreateGrant",
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
)
HAND_ON: Final = "iam:PassRole"


def granted(statements: Sequence[Statement], actions: Iterable[str], targets: Iterable[str]) -> Iterator[Statement]:
    """The statements that allow one of `actions` on a resource that one of the patterns `targets` matches."""
    wanted = [(action, target) for action in actions for target in targets]
    denials = [one for one in statements if not one.allows and not one.conditions and not one.but_principals]
    for statement in statements:
        if statement.allows and any(
            statement.names(action) and statement.reaches(target) and not _denied(denials, action, target)
            for action, target in wanted
        ):
            yield statement


def named(statement: Statement, actions: Iterable[str]) -> str:
    """The actions among `actions` that a statement names, for a message."""
    return ", ".join(action for action in actions if statement.names(action))


def _denied(denials: Sequence[Statement], action: str, target: str) -> bool:
    """Whether an unconditional denial covers all of `target`."""
    return any(
        denial.names(action)
        and not denial.but_resources
        and any(
            "${" not in pattern and covers(in_its_partition(complete(pattern)), target) for pattern in denial.resources
        )
        for denial in denials
    )
