"""What each function's role may do, as pure functions that return dicts.

Owns the identity policies of the functions, each with its own logs and dead letters. Leaves out their trust and the
permissions boundary (`identity`), and the secrets' own policies (`resource`).
"""

from __future__ import annotations

from collections.abc import Sequence

from components.iam.copies import Replica, rotation_writes_copies
from components.iam.statements import (
    Document,
    Statement,
    any_key,
    dead_letter_arn,
    decrypt_statement,
    document,
    log_streams_arn,
    via_secrets_manager,
)
from myflux_keys.names import METRICS, TAG_CELL, CellNames

ROTATE = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
]
"""What a rotation function needs:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html"""


def rotation_permissions(names: CellNames, replicas: Sequence[Replica] = ()) -> Document:
    """What the rotation function may do: rotate tenants' secrets and read admin keys."""
    tenants = names.tenant_secrets_arn_pattern
    return document(
        {
            "Sid": "RotateTenants",
            "Effect": "Allow",
            "Action": ROTATE,
            "Resource": tenants,
            "Condition": {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell}},
        },
        _read_admin_keys(names),
        decrypt_statement(names, [tenants, *_admin_secrets(names)]),
        {
            "Sid": "EncryptTenants",
            "Effect": "Allow",
            "Action": "kms:GenerateDataKey",
            "Resource": any_key(names),
            "Condition": via_secrets_manager(names, [tenants]),
        },
        *rotation_writes_copies(names, replicas),
        *_function_statements(names, names.rotation_function),
    )


def provisioner_permissions(names: CellNames) -> Document:
    """What the provisioner may do: read admin keys. It may read no tenant's key."""
    return document(
        _read_admin_keys(names),
        decrypt_statement(names, _admin_secrets(names)),
        *_function_statements(names, names.provisioner_function),
    )


def admin_rotation_permissions(names: CellNames) -> Document:
    """What the admin rotation function may do: rotate the admin secret. It may read no tenant's."""
    secret = names.admin_secret_arn_pattern
    return document(
        {
            "Sid": "RotateAdminKey",
            "Effect": "Allow",
            "Action": ROTATE,
            "Resource": secret,
            "Condition": {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell}},
        },
        decrypt_statement(names, [secret]),
        {
            "Sid": "EncryptAdminKey",
            "Effect": "Allow",
            "Action": "kms:GenerateDataKey",
            "Resource": any_key(names),
            "Condition": via_secrets_manager(names, [secret]),
        },
        *_function_statements(names, names.admin_rotation_function),
    )


def sweep_permissions(names: CellNames) -> Document:
    """What the sweep may do: read tenants' secrets and admin keys, and put metrics. It writes no secret.

    It reads values to know which keys the secret holds, and to try the previous one. ListSecrets and PutMetricData have
    no resource, so ``*`` is the narrowest; the namespace limits the second.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    tenants = names.tenant_secrets_arn_pattern
    return document(
        {"Sid": "FindTenants", "Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"},
        {
            "Sid": "LookAtTenants",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
            ],
            "Resource": tenants,
            "Condition": {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell}},
        },
        _read_admin_keys(names),
        decrypt_statement(names, [tenants, *_admin_secrets(names)]),
        put_metrics_statement(),
        *_function_statements(names, names.sweep_function),
    )


def put_metrics_statement() -> Statement:
    return {
        "Sid": "TellNumbers",
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": METRICS}},
    }


def _admin_secrets(names: CellNames) -> list[str]:
    """The cell's admin secret, and those of customers' organizations."""
    return [names.admin_secret_arn_pattern, names.customer_admin_secrets_arn_pattern]


def _read_admin_keys(names: CellNames) -> Statement:
    return {
        "Sid": "ReadAdminKeys",
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": _admin_secrets(names),
    }


def _function_statements(names: CellNames, function: str) -> list[Statement]:
    return [
        {
            "Sid": "WriteOwnLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": log_streams_arn(names, function),
        },
        {
            "Sid": "SendOwnDeadLetters",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": dead_letter_arn(names),
        },
    ]
