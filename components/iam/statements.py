"""The statements and ARNs that more than one policy document is made of, as pure functions that return dicts.

Owns the shapes. Leaves out which role gets which (`documents`, `function_permissions`, `resource_policies`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from myflux_keys.cell_names import CellNames

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


def via_secrets_manager(names: CellNames, secret_arn_patterns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Conditions under which a KMS key works for secrets and for nothing else.

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
    """Key ids are AWS's to choose: the encryption context, which names the secret, is what narrows these statements."""
    return f"arn:{names.partition}:kms:{names.region}:{names.account_id}:key/*"


def key_administration(account: dict[str, str]) -> Statement:
    """What an account's IAM policies may give on a key: everything but using it."""
    return {
        "Sid": "AccountAdministers",
        "Effect": "Allow",
        "Principal": account,
        "Action": list(_ADMINISTER_KEY),
        "Resource": "*",
    }
