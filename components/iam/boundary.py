"""The permissions boundary of every role in the cell, as a pure function that returns a dict."""

from __future__ import annotations

from collections.abc import Sequence

from components.iam.connect import bounded_connect
from components.iam.copies import Replica, bounded_copies
from components.iam.federation import bounded_tokens
from components.iam.functions import list_secrets, look_at_trust, put_metrics_statement
from components.iam.health import watching
from components.iam.statements import (
    Document,
    Statement,
    any_key,
    dead_letter_arn,
    document,
    log_streams_arn,
    via_secrets_manager,
)
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ALL_FUNCTIONS


def permissions_boundary(names: CellNames, replicas: Sequence[Replica] = ()) -> Document:
    """The most that any role of the cell can ever do, whatever policy is attached to it later.

    Fits a managed policy, which holds 6,144 characters: hence no Sids, for which the longest names leave no room.
    """
    return document(*({k: v for k, v in one.items() if k != "Sid"} for one in _most(names, replicas)))


def _most(names: CellNames, replicas: Sequence[Replica]) -> list[Statement]:
    secrets = names.secrets_arn_patterns
    return [
        {
            "Sid": "SecretsOfThisCell",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": list(secrets),
        },
        list_secrets("NamesOfSecrets"),
        look_at_trust("TrustOfReaders", names),
        put_metrics_statement(),
        {
            "Sid": "KeysThroughSecretsManager",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": any_key(names),
            "Condition": via_secrets_manager(names, secrets),
        },
        {
            "Sid": "OwnLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [log_streams_arn(names, names.function(one)) for one in ALL_FUNCTIONS],
        },
        {
            "Sid": "OwnDeadLetters",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": dead_letter_arn(names),
        },
        *watching(names),
        *bounded_connect(names),
        *bounded_tokens(names),
        *bounded_copies(names, replicas),
    ]
