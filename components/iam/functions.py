"""What each function's role may do, as pure functions that return dicts.

Owns the identity policies of the functions, each with its own logs and dead letters, derived from the table
`myflux_keys.cell_functions`. Leaves out their trust (`identity`), their boundary (`boundary`) and the secrets' policies
(`resource`).
"""

from __future__ import annotations

from collections.abc import Sequence

from components.iam.connect import promoting, taking_in
from components.iam.copies import Replica, rotation_writes_copies
from components.iam.federation import become_runtime
from components.iam.health import reading_handovers, watching
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
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import CellFunction
from myflux_keys.names import METRICS, TAG_CELL

ROTATE = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
]
"""What a rotation function needs:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html"""


LOOK = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"]
"""What a function does with secrets whose versions it only reads."""


def function_permissions(
    function: CellFunction, names: CellNames, replicas: Sequence[Replica] = (), *, federation: bool = False
) -> Document:
    """What a function's role may do: only what its row in the table says. `federation`: the cell has it.

    ListSecrets and PutMetricData have no resource, so ``*`` is the narrowest; a condition on the namespace limits the
    second.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    """
    tenants, admin = names.tenant_secrets_arn_pattern, names.admin_secret_arn_pattern
    read = [
        *([tenants] if function.tenants != "none" else []),
        *([admin] if function.admin != "none" else []),
        *([names.customer_admin_secrets_arn_pattern] if function.customer_admins != "none" else []),
    ]
    statements: list[Statement] = []
    if function.lists_secrets:
        statements.append(list_secrets("FindTenants"))
    if function.tenants == "rotate":
        statements.append(_on_secrets("RotateTenants", ROTATE, tenants, names))
    elif function.tenants == "read":
        # By name alone: `adopt` has a secret looked at before it gives it the cell's tags.
        statements.append({"Sid": "LookAtTenants", "Effect": "Allow", "Action": LOOK, "Resource": tenants})
    if function.admin == "rotate":
        statements.append(_on_secrets("RotateAdminKey", ROTATE, admin, names))
    elif function.admin == "read":
        statements.append(_read_admin_keys([pattern for pattern in read if pattern != tenants]))
    if read:
        statements.append(decrypt_statement(names, read))
    if function.tenants == "rotate":
        statements.append(_encrypt("EncryptTenants", names, tenants))
        statements.extend(rotation_writes_copies(names, replicas))
    if function.admin == "rotate":
        statements.append(_encrypt("EncryptAdminKey", names, admin))
    if function.reads_trust:
        statements.append(look_at_trust("LookWhomReadersTrust", names))
    if function.sends_metrics:
        statements.append(put_metrics_statement())
    if function.watches:
        statements.extend(watching(names))
        if federation:
            statements.append(become_runtime(names))
    if function.reads_handovers:
        statements.extend(reading_handovers(names))
    if function.takes_in:
        statements.extend(taking_in(names))
    if function.promotes:
        statements.extend([*promoting(names), *rotation_writes_copies(names, replicas)])
    return document(*statements, *_function_statements(names, names.function(function)))


def list_secrets(sid: str) -> Statement:
    """Names, tags and dates of every secret of the account, without values."""
    return {"Sid": sid, "Effect": "Allow", "Action": "secretsmanager:ListSecrets", "Resource": "*"}


def look_at_trust(sid: str, names: CellNames) -> Statement:
    """The trust policies of the roles that read tenants' keys."""
    roles = [names.runtime_role_arn, names.tenant("*").dedicated_role_arn]
    return {"Sid": sid, "Effect": "Allow", "Action": "iam:GetRole", "Resource": roles}


def put_metrics_statement() -> Statement:
    return {
        "Sid": "TellNumbers",
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": METRICS}},
    }


def _on_secrets(sid: str, actions: Sequence[str], pattern: str, names: CellNames) -> Statement:
    """On secrets whose ARN matches `pattern` and that have the cell's tag."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": pattern,
        "Condition": {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell}},
    }


def _read_admin_keys(patterns: Sequence[str]) -> Statement:
    return {
        "Sid": "ReadAdminKeys",
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": list(patterns),
    }


def _encrypt(sid: str, names: CellNames, pattern: str) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "kms:GenerateDataKey",
        "Resource": any_key(names),
        "Condition": via_secrets_manager(names, [pattern]),
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
