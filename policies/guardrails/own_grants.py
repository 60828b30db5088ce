"""The most that each of our roles may do, as a table.

Owns the table. Leaves out the comparison (`own_roles`). A document may grant less, and nothing that is not in the
table, so that a wildcard or an unnoticed change cannot add a permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from .own_functions import ADMIN_WRITERS, BECOME_RUNTIME, KINDS, OUR_FUNCTIONS, PROMOTERS, WRITERS, OurFunction

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
OF_ONE_TENANT: Final = ("runtime", "dedicated", "handover")
"""The roles whose sessions read one tenant's secret."""
CRYPTOGRAPHY: Final = ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt")
PUT_METRIC_DATA: Final = "cloudwatch:PutMetricData"
_LIST_SECRETS: Final = "secretsmanager:ListSecrets"
_ANYWHERE: Final = (_LIST_SECRETS, PUT_METRIC_DATA)
"""These actions have no resource, so ``*`` is the narrowest."""
_GET_ROLE: Final = "iam:GetRole"
GET_WEB_IDENTITY: Final = "sts:GetWebIdentityToken"
"""It has no resource. No role may have sts:TagGetWebIdentityToken: the caller chooses such tags."""
_BECOME: Final = ("sts:AssumeRole", "sts:TagSession")
_READ_BY_ALL: Final = ("links", "revoked", "outcome")
"""Of the connect bucket, by page and promoter."""
_FUNCTIONS: Final = {one.kind: one for one in OUR_FUNCTIONS}


@dataclass(frozen=True)
class Grant:
    """Actions, and the pattern (`iam.patterns`) of the resources that they may be on."""

    actions: tuple[str, ...]
    on: str

    @cached_property
    def in_lower_case(self) -> frozenset[str]:
        return frozenset(action.lower() for action in self.actions)


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
    """The secrets for which a role may use a KMS key. `kind` is as in `grants_of`."""
    if kind == "boundary":
        return (secrets(cell), *admin_secrets(cell))
    if kind in OF_ONE_TENANT:
        return (secrets(cell, tenant if kind == "dedicated" else "*"),)
    function = _FUNCTIONS[kind]
    return (
        *((secrets(cell),) if function.reads_tenants or function.promotes else ()),
        *((admin_secret(cell),) if function.reads_admin else ()),
        *((customers_admin_secrets(cell),) if function.reads_customers else ()),
    )


@cache
def grants_of(kind: str, cell: str, tenant: str = "") -> tuple[Grant, ...]:
    """`kind` is an OurRole's, or `boundary` for the cell's permissions boundary."""
    encrypts = kind in ("boundary", *PROMOTERS) or kind in WRITERS | ADMIN_WRITERS
    keys = Grant(CRYPTOGRAPHY[:2] if encrypts else CRYPTOGRAPHY[:1], "arn:~:kms:~:~:key/*")
    # Secrets Manager uses the writer's permissions to encrypt a replica in another Region.
    copies = kind in ("boundary", *PROMOTERS) or kind in WRITERS
    return (
        *_on_secrets(kind, cell, tenant),
        *_for_tokens(kind, cell),
        *((keys,) if secrets_of(kind, cell) else ()),
        *((Grant(CRYPTOGRAPHY[2:], "arn:~:kms:~:~:key/~"),) if copies else ()),
        *_of_functions(kind, cell),
    )


def _for_tokens(kind: str, cell: str) -> tuple[Grant, ...]:
    """The runtime gets a tenant's token; a function that watches, by becoming the runtime."""
    ask = Grant((GET_WEB_IDENTITY,), "*")
    become = Grant(_BECOME, f"arn:~:iam::~:role/myflux-{cell}-runtime")
    if kind == "runtime":
        return (ask, Grant(("s3:GetObject",), f"{health_bucket(cell)}/declarations/identities/*"))
    if kind == "boundary":
        return (ask, become)
    return (become,) if kind in BECOME_RUNTIME else ()


def _on_secrets(kind: str, cell: str, tenant: str) -> tuple[Grant, ...]:
    if kind in OF_ONE_TENANT:
        return tuple(Grant(_GET if kind == "handover" else _READ, one) for one in secrets_of(kind, cell, tenant))
    if kind == "boundary":
        return (
            *(Grant((*_ROTATE, *_LOOK), one) for one in secrets_of(kind, cell)),
            *(Grant((one,), "*") for one in _ANYWHERE),
            *_readers_roles(cell),
            *_watching(cell),
            Grant(("s3:ListBucket",), connect_bucket(cell)),
            Grant(("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), f"{connect_bucket(cell)}/*"),
            Grant(("kms:Decrypt", "kms:Encrypt", "kms:VerifyMac"), "arn:~:kms:~:~:key/*"),
        )
    return tuple(_of_row(_FUNCTIONS[kind], cell))


def _of_row(function: OurFunction, cell: str) -> Iterator[Grant]:
    """On secrets, and metrics."""
    if function.reads_tenants:
        yield Grant(_ROTATE if function.writes_tenants else _LOOK, secrets(cell))
    if function.reads_admin:
        yield Grant(_ROTATE if function.writes_admin else _GET, admin_secret(cell))
    if function.reads_customers:
        yield Grant(_GET, customers_admin_secrets(cell))
    if function.lists_secrets:
        yield Grant((_LIST_SECRETS,), "*")
    if function.reads_trust:
        yield from _readers_roles(cell)
    if function.sends_metrics:
        yield Grant((PUT_METRIC_DATA,), "*")
    if function.watches:
        yield from _watching(cell)
    if function.reads_handovers:
        yield Grant(("s3:ListBucket",), health_bucket(cell))
        yield Grant(("s3:GetObject",), f"{health_bucket(cell)}/handovers/*")
    if function.takes_in:
        yield from _connect(cell, (*_READ_BY_ALL, "seen"), ("handed-in", "seen"))
        yield Grant(("kms:Encrypt", "kms:VerifyMac"), "arn:~:kms:~:~:key/*")
    if function.promotes:
        yield from _connect(cell, (*_READ_BY_ALL, "confirmed", "handed-in"), ("outcome",))
        yield Grant(("s3:DeleteObject",), f"{connect_bucket(cell)}/handed-in/*")
        yield Grant(("kms:Decrypt", "kms:VerifyMac"), "arn:~:kms:~:~:key/*")
        for place in (secrets(cell), secrets(cell).removesuffix("-??????")):
            yield Grant(("secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"), place)
        yield Grant(("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"), secrets(cell))


def health_bucket(cell: str) -> str:
    """Tenants' declarations, and what the health function remembers."""
    return f"arn:~:s3:::myflux-health-{cell}-????????????"


def connect_bucket(cell: str) -> str:
    """What customers hand in, and what is known of their links."""
    return f"arn:~:s3:::myflux-connect-{cell}-????????????"


def _connect(cell: str, read: tuple[str, ...], written: tuple[str, ...]) -> Iterator[Grant]:
    bucket = connect_bucket(cell)
    yield Grant(("s3:ListBucket",), bucket)
    yield from (Grant(("s3:GetObject",), f"{bucket}/{folder}/*") for folder in read)
    yield from (Grant(("s3:PutObject",), f"{bucket}/{folder}/*") for folder in written)


def _watching(cell: str) -> Iterator[Grant]:
    bucket = health_bucket(cell)
    yield Grant(("s3:ListBucket",), bucket)
    yield from (
        Grant(("s3:GetObject",), f"{bucket}/{key}") for key in ("declarations/*", "handovers/*", "catalogue.json")
    )
    yield Grant(("s3:GetObject", "s3:PutObject"), f"{bucket}/health/*")
    yield Grant(("sns:Publish",), f"arn:~:sns:~:~:myflux-{cell}-alarms")


def _readers_roles(cell: str) -> Iterator[Grant]:
    """To look at the cell's runtime role, at people's for hand-overs, and at its tenants' dedicated ones."""
    for name in (f"myflux-{cell}-runtime", f"myflux-{cell}-handover", f"myflux-{cell}_*"):
        yield Grant((_GET_ROLE,), f"arn:~:iam::~:role/{name}")


def _of_functions(kind: str, cell: str) -> tuple[Grant, ...]:
    if kind in OF_ONE_TENANT:
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
