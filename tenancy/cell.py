"""One cell: what `cells/<slug>.yaml` may say.

Owns the fields of an AWS account and Region with one OpenAI organization, and the rules among them. Leaves out names
and ARNs, which `Cell.names` derives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Self, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from myflux_keys.cell_names import CellNames
from myflux_keys.names import ORGANIZATION_ID
from tenancy.fields import CellSlug, Email, Flag, Model, NotEmpty, Text, Unique, Whole, refuse, refused
from tenancy.pipeline import Pipeline
from tenancy.principals import Principal, partition_of, principal_refusals, region_code
from tenancy.problems import Refusal
from tenancy.replicas import MOST, Replica, replica_refusals

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"
LOCAL_ACCOUNT: Final = "000000000000"
"""The local cell's account. AWS has none of this number, so nothing meant for one ever reaches the other."""

LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def _quoted(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        refused(
            "account-id-unquoted", "An account id is text: as a number it would lose its zeros.", "put it in quotes."
        )
    return value


def _account(text: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", text, re.ASCII):
        refused(
            "bad-account-id", "An AWS account id is 12 digits.", 'write the 12 digits in quotes, as in "000000000000".'
        )
    return text


def _retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        near = min(LOG_RETENTION_DAYS, key=lambda allowed: abs(allowed - days))
        refused("bad-retention", "CloudWatch Logs keeps logs for certain numbers of days only.", f"write {near}.")
    return days


def checked_organization(text: str) -> str:
    if not ORGANIZATION_ID.fullmatch(text):
        refused(
            "bad-organization-id",
            "An OpenAI organization id starts with org-.",
            "copy it from the organization's settings.",
        )
    return text


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        refused("bad-url", "This is not a URL.", f"write {OPENAI_BASE_URL}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        refused(
            "url-not-https",
            "The admin key and every tenant's key travel to this address.",
            "write an https:// address.",
        )
    if not host or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        refused(
            "bad-url",
            "The address is a host and a path, without credentials, query or fragment.",
            f"write {OPENAI_BASE_URL}.",
        )
    if not text.isascii() or not text.isprintable() or " " in text or not parts.path.endswith("/v1"):
        refused("bad-url", "The address ends in /v1, where OpenAI's API begins.", f"write {OPENAI_BASE_URL}.")
    return text


class OpenAI(Model):
    """The organization whose admin key the cell holds."""

    organization_id: Annotated[
        Text,
        AfterValidator(checked_organization),
        Field(description="From the organization's settings; not secret.", examples=["org-example"]),
    ]
    base_url: Annotated[
        Text | None,
        AfterValidator(lambda text: None if text is None else _base_url(text)),
        Field(
            description=f"Where OpenAI's API is; {OPENAI_BASE_URL} if left out. https, unless on loopback. Refused for "
            "a local cell, whose address changes with every start.",
            json_schema_extra={"format": "uri"},
        ),
    ] = None


class Cell(Model):
    """An AWS account and Region with one OpenAI organization: what its tenants share."""

    cell: Annotated[CellSlug, Field(description="The slug, also the file's name.", examples=["prod-eu1"])]
    account_id: Annotated[
        Text,
        BeforeValidator(_quoted),
        AfterValidator(_account),
        Field(
            description="12 digits in quotes. `up` and `destroy` refuse to run with credentials of another account.",
            examples=["123456789012"],
            json_schema_extra={"pattern": "^[0-9]{12}$"},
        ),
    ]
    region: Annotated[
        Text, AfterValidator(region_code), Field(description="The AWS Region of everything.", examples=["eu-central-1"])
    ]
    production: Annotated[
        Flag, Field(description="true: what cannot be undone is protected, and somebody must get the alarms.")
    ]
    local: Annotated[Flag, Field(description="true: the embedded cell on loopback; no account, no network.")] = False
    runtime_principals: Annotated[
        tuple[Principal, ...],
        Field(
            description="IAM users and roles that may assume the runtime role, and so read tenants' keys. ARNs, no "
            "wildcard, never root.",
            examples=[["arn:aws:iam::123456789012:role/myflux-runtime"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
    ]
    deployer_principals: Annotated[
        tuple[Principal, ...],
        Field(
            description="IAM users and roles that run `pulumi up`. They may tag and set policies, and can read no key.",
            examples=[["arn:aws:iam::123456789012:role/myflux-deployer"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
    ]
    pipeline: Annotated[Pipeline | None, Field(description="CI that deploys, where there is one.")] = None
    alarm_emails: Annotated[
        tuple[Email, ...], Unique, Field(description="Who gets the alarms.", json_schema_extra={"uniqueItems": True})
    ] = ()
    recovery_window_days: Annotated[
        Whole, Field(ge=7, le=30, description="How long AWS keeps a deleted secret or KMS key, 7 to 30 days.")
    ] = 30
    replicas: Annotated[
        tuple[Replica, ...],
        Field(
            description="Further Regions that hold a copy of each tenant's secret, for the runtime to read when the "
            "cell's own Region is down.",
            json_schema_extra={"maxItems": MOST},
        ),
    ] = ()
    log_retention_days: Annotated[
        Whole,
        AfterValidator(_retention),
        Field(
            description="How long the functions' logs are kept.", json_schema_extra={"enum": list(LOG_RETENTION_DAYS)}
        ),
    ] = 365
    openai: Annotated[OpenAI, Field(description="The OpenAI organization.")]

    @property
    def names(self) -> CellNames:
        return CellNames(self.cell, self.account_id, self.region, partition_of(self.region))

    @property
    def governors(self) -> tuple[str, ...]:
        """Who may set a secret's policy, tags and rotation: those who deploy, and the pipeline's role. Storing a key by
        hand stays with the deployers."""
        role = [self.names.role_arn(self.names.deployer_role)] if self.pipeline else []
        return (*self.deployer_principals, *role)

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = cast(dict[str, Any], data)
        openai = fields.get("openai")
        if fields.get("local") is True or not isinstance(openai, dict):
            return fields
        return fields | {"openai": {"base_url": OPENAI_BASE_URL} | cast(dict[str, Any], openai)}

    @model_validator(mode="after")
    def _rules(self) -> Self:
        refuse(cell_refusals(self.model_dump()))
        return self


def cell_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules among a cell's fields. Takes the file's raw values, so that they are checked beside other errors."""
    account, openai = data.get("account_id"), data.get("openai")
    if data.get("local") is True:
        if data.get("production") is True:
            reason = "A local cell is thrown away at will and cannot be production."
            yield Refusal("local-production", reason, "set production: false.", ("production",))
        if isinstance(account, str) and account != LOCAL_ACCOUNT:
            reason = "A local cell's account must be none that exists, so that nothing meant for it reaches a real one."
            yield Refusal("local-account", reason, f'write account_id: "{LOCAL_ACCOUNT}".', ("account_id",))
        if isinstance(openai, Mapping) and cast(Mapping[str, Any], openai).get("base_url") is not None:
            reason = "A local cell's OpenAI address changes with every start, and is read from the running cell."
            yield Refusal("local-base-url", reason, "delete base_url.", ("openai", "base_url"))
    elif account == LOCAL_ACCOUNT:
        reason = "This account id is the local cell's; AWS has no such account."
        yield Refusal("local-account", reason, "write the account's own id, or set local: true.", ("account_id",))
    if data.get("production") is True and not data.get("alarm_emails"):
        reason = "Nobody would hear of a failed rotation in production."
        yield Refusal("alarms-unheard", reason, "add alarm_emails: [oncall@example.com].", ("alarm_emails",))
    yield from principal_refusals(data)
    yield from replica_refusals(data)
