"""The most that each of our roles may do, as a table.

Owns the table. Leaves out the comparison (`own_roles`). A document may grant less, and nothing that is not in the
table, so that a wildcard or an unnoticed change cannot add a permission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .own_functions import KINDS

_ROTATE: Final = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
_LOOK: Final = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
)
_READ: Final = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue")
_GET: Final = ("secretsmanager:GetSecretValue",)
CRYPTOGRAPHY: Final = ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt")
PUT_METRIC_DATA: Final = "cloudwatch:PutMetricData"
_ANYWHERE: Final = ("secretsmanager:ListSecrets", PUT_METRIC_DATA)
"""These actions have no resource, so ``*`` is the narrowest."""


@dataclass(frozen=True)
class Grant:
    """Actions, and the pattern (`iam.patterns`) of the resources that they may be on."""

    actions: tuple[str, ...]
    on: str


def secrets(cell: str, tenant: str = "*") -> str:
    return f"arn:~:secretsmanager:~:~:secret:myflux/{cell}/{tenant}/openai-??????"


def admin_secret(cell: str) -> str:
    return f"arn:~:secretsmanager:~:~:secret:myflux-admin/{cell}/openai-??????"


def admin_secrets(cell: str) -> tuple[str, ...]:
    """The cell's admin secret, and those of customers' own organizations."""
    return admin_secret(cell), customers_admin_secrets(cell)


def customers_admin_secrets(cell: str) -> str:
    return f"arn:~:secretsmanager:~:~:secret:myflux-admin/{cell}/*/openai-??????"


def secrets_of(kind: str, cell: str, tenant: str = "*") -> tuple[str, ...]:
    """The secrets for which a role may use a KMS key."""
    tenants, admins = secrets(cell, tenant if kind == "dedicated" else "*"), admin_secrets(cell)
    return {
        "rotation": (tenants, *admins),
        "provisioner": admins,
        "admin-rotator": (admin_secret(cell),),
        "sweep": (tenants, *admins),
        "runtime": (tenants,),
        "dedicated": (tenants,),
        "boundary": (tenants, *admins),
    }[kind]


def grants_of(kind: str, cell: str, tenant: str = "") -> tuple[Grant, ...]:
    """`kind` is an OurRole's, or `boundary` for the cell's permissions boundary."""
    reads_admin_keys = tuple(Grant(_GET, one) for one in admin_secrets(cell))
    on_secrets: Mapping[str, tuple[Grant, ...]] = {
        "rotation": (Grant(_ROTATE, secrets(cell)), *reads_admin_keys),
        "provisioner": reads_admin_keys,
        "admin-rotator": (Grant(_ROTATE, admin_secret(cell)),),
        "sweep": (
            Grant(_LOOK, secrets(cell)),
            *reads_admin_keys,
            *(Grant((one,), "*") for one in _ANYWHERE),
        ),
        "runtime": (Grant(_READ, secrets(cell)),),
        "dedicated": (Grant(_READ, secrets(cell, tenant)),),
        "boundary": (
            Grant((*_ROTATE, *_LOOK), secrets(cell)),
            *(Grant((*_ROTATE, *_LOOK), one) for one in admin_secrets(cell)),
            *(Grant((one,), "*") for one in _ANYWHERE),
        ),
    }
    encrypts = kind in ("rotation", "admin-rotator", "boundary")
    keys = Grant(CRYPTOGRAPHY[:2] if encrypts else CRYPTOGRAPHY[:1], "arn:~:kms:~:~:key/*")
    # Secrets Manager uses the writer's permissions to encrypt a replica in another Region.
    copies = (Grant(CRYPTOGRAPHY[2:], "arn:~:kms:~:~:key/~"),) if kind in ("rotation", "boundary") else ()
    return (*on_secrets[kind], keys, *copies, *_of_functions(kind, cell))


def _of_functions(kind: str, cell: str) -> tuple[Grant, ...]:
    if kind in ("runtime", "dedicated"):
        return ()
    functions = KINDS if kind == "boundary" else (kind,)
    return (
        *(
            Grant(
                ("logs:CreateLogStream", "logs:PutLogEvents"),
                f"arn:~:logs:~:~:log-group:/aws/lambda/myflux-{cell}-{function}:log-stream:*",
            )
            for function in functions
        ),
        Grant(("sqs:SendMessage",), f"arn:~:sqs:~:~:myflux-{cell}-dead-letters"),
    )
