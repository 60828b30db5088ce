"""Statements and ARNs that several policy documents share, as pure functions that return dicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from myflux_keys.aws_names import CellNames

Document = dict[str, Any]
Statement = dict[str, Any]

_ADMINISTER_KEY = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]


def document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str, actions: str | Sequence[str], resources: Sequence[str], condition: dict[str, Any] | None = None
) -> Statement:
    """A statement of an identity policy. One action may be a text."""
    named = actions if isinstance(actions, str) else list(actions)
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": named, "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def actions(service: str, names: str) -> list[str]:
    """`names` are divided by spaces: ``actions("kms", "Decrypt Encrypt")``."""
    return [f"{service}:{name}" for name in names.split()]


def via_secrets_manager(names: CellNames, secret_arn_patterns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Conditions on the use of a KMS key: only through Secrets Manager, for these secrets.

    Secrets Manager passes the secret's ARN as encryption context:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    return {
        "StringEquals": {"kms:ViaService": f"secretsmanager.{names.region}.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": list(secret_arn_patterns)},
    }


def decrypt_statement(names: CellNames, secret_arn_patterns: Sequence[str]) -> Statement:
    return {
        "Sid": "DecryptThroughSecretsManager",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": any_key(names),
        "Condition": via_secrets_manager(names, secret_arn_patterns),
    }


def log_streams_arn(names: CellNames, function: str) -> str:
    group = names.log_group(function)
    return f"arn:{names.partition}:logs:{names.region}:{names.account_id}:log-group:{group}:log-stream:*"


def dead_letter_arn(names: CellNames) -> str:
    return f"arn:{names.partition}:sqs:{names.region}:{names.account_id}:{names.dead_letter_queue}"


def any_key(names: CellNames) -> str:
    """Any KMS key, since AWS chooses key ids: the encryption context, which names the secret, limits these
    statements."""
    return f"arn:{names.partition}:kms:{names.region}:{names.account_id}:key/*"


def key_administration(account: dict[str, str]) -> Statement:
    """What an account's IAM policies may allow on a KMS key: everything except its use."""
    return {
        "Sid": "AccountAdministers",
        "Effect": "Allow",
        "Principal": account,
        "Action": list(_ADMINISTER_KEY),
        "Resource": "*",
    }
