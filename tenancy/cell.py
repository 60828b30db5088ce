"""One cell: the fields of `cells/<slug>.yaml`.

Owns the fields of a cell (an AWS account and Region with one OpenAI organization) and the rules between them.
Leaves out names and ARNs, which `Cell.names` derives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from myflux_keys.aws_names import CellNames
from myflux_keys.consumers import Consumer
from tenancy.connect import Connect
from tenancy.federation import Federation, federation_refusals
from tenancy.fields import CellSlug, Email, Flag, Model, NotEmpty, Text, Unique, Whole, refuse, refused
from tenancy.handover import Handover
from tenancy.health import Health
from tenancy.openai import OPENAI_BASE_URL, OpenAI
from tenancy.pipeline import Pipeline
from tenancy.principals import Principal, partition_of, principal_refusals, region_code
from tenancy.problems import Refusal
from tenancy.replicas import MOST, Replica, replica_refusals
from tenancy.state import KeptIn, State, state_refusals

LOCAL_ACCOUNT: Final = "000000000000"
"""The local cell's account. No AWS account has this id, so a local deployment cannot reach a real account."""

LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


def _quoted(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        refused(
            "account-id-unquoted", "account_id must be text: a number would lose leading zeros.", "put it in quotes."
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
        refused("bad-retention", f"CloudWatch Logs does not offer a retention of {days} days.", f"write {near}.")
    return days


class Cell(Model):
    """An AWS account and Region with one OpenAI organization, which its tenants share."""

    cell: Annotated[CellSlug, Field(description="The cell's slug. The file has the same name.", examples=["prod-eu1"])]
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
        Text,
        AfterValidator(region_code),
        Field(description="The AWS Region of the cell's resources.", examples=["eu-central-1"]),
    ]
    production: Annotated[
        Flag,
        Field(
            description="true: resources that cannot be restored are protected from deletion, and alarm_emails is "
            "required."
        ),
    ]
    local: Annotated[
        Flag, Field(description="true: the emulated cell on this machine; needs no AWS account and no network.")
    ] = False
    rehearsal: Annotated[
        Flag,
        Field(
            description="true: a local cell in production's shape, which `make rehearsal` makes and deletes. Any other "
            "cell refuses it."
        ),
    ] = False
    runtime_principals: Annotated[
        tuple[Principal, ...],
        Field(
            description="ARNs of the IAM users and roles that may assume the runtime role, and so read tenants' keys. "
            "No wildcards, no account root.",
            examples=[["arn:aws:iam::123456789012:role/myflux-runtime"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
    ]
    deployer_principals: Annotated[
        tuple[Principal, ...],
        Field(
            description="ARNs of the IAM users and roles that run `pulumi up`. They may set tags and policies, and "
            "cannot read a key.",
            examples=[["arn:aws:iam::123456789012:role/myflux-deployer"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
    ]
    state: Annotated[
        State | None,
        Field(
            description="The bucket and key of the stacks' state. Left out: PULUMI_BACKEND_URL and Pulumi's other "
            "variables decide, as in a local cell."
        ),
    ] = None
    bootstrapped: Annotated[
        Flag,
        Field(
            description="true: `myflux-keys bootstrap` made the permissions boundaries and the role of people who "
            "deploy, and the platform's stack uses them. Bootstrap prints this line; do not change it later."
        ),
    ] = False
    pipeline: Annotated[Pipeline | None, Field(description="The CI pipeline that deploys the cell. Optional.")] = None
    alarm_emails: Annotated[
        tuple[Email, ...],
        Unique,
        Field(
            description="E-mail addresses that receive the cell's alarms. Required in production.",
            examples=[["oncall@example.com"]],
            json_schema_extra={"uniqueItems": True},
        ),
    ] = ()
    language: Annotated[
        Literal["en", "es"],
        Field(description="The language of the health function's messages: en or es.", examples=["es"]),
    ] = "en"
    health: Annotated[
        Health,
        Field(description="How often the health function looks at the tenants.", examples=[{"every_minutes": 60}]),
    ] = Health()
    connect: Annotated[
        Connect,
        Field(
            description="The page where customers hand in their own keys. Off unless it says `enabled: true`.",
            examples=[{"enabled": True}],
        ),
    ] = Connect()
    handover: Annotated[
        Handover | None,
        Field(
            description="People who paste tenants' keys into a consumer's dashboard, such as CINNOX's. Left out: "
            "nobody may, and the cell has no hand-over role.",
            examples=[{"principals": ["arn:aws:iam::123456789012:user/ana"]}],
        ),
    ] = None
    federation: Annotated[
        Federation,
        Field(description="Tenants without a key. Off unless it says `enabled: true`.", examples=[{"enabled": True}]),
    ] = Federation()
    recovery_window_days: Annotated[
        Whole,
        Field(ge=7, le=30, description="Days that AWS keeps a deleted secret or KMS key, 7 to 30.", examples=[30]),
    ] = 30
    replicas: Annotated[
        tuple[Replica, ...],
        Field(
            description="Other Regions that hold a replica of each tenant's secret. The runtime reads it when the "
            "cell's own Region is down.",
            json_schema_extra={"maxItems": MOST},
        ),
    ] = ()
    log_retention_days: Annotated[
        Whole,
        AfterValidator(_retention),
        Field(
            description="Days that CloudWatch Logs keeps the functions' logs.",
            examples=[365],
            json_schema_extra={"enum": list(LOG_RETENTION_DAYS)},
        ),
    ] = 365
    openai: Annotated[
        OpenAI,
        Field(description="The cell's OpenAI organization.", examples=[{"organization_id": "org-example"}]),
    ]

    @property
    def names(self) -> CellNames:
        return CellNames(self.cell, self.account_id, self.region, partition_of(self.region))

    @property
    def kept_in(self) -> KeptIn | None:
        """Where the stacks keep their state; None where the file does not say it."""
        if self.state:
            return KeptIn(self.state.bucket, self.state.kms_key)
        if self.pipeline and self.pipeline.state_bucket:
            return KeptIn(self.pipeline.state_bucket, self.pipeline.state_key_arn)
        return None

    @property
    def deployers(self) -> tuple[str, ...]:
        """ARNs of people who deploy and store keys: `deployer_principals`, and the role that they may become."""
        role = [self.names.role_arn(self.names.people_role)] if self.bootstrapped else []
        return (*self.deployer_principals, *role)

    @property
    def governors(self) -> tuple[str, ...]:
        """ARNs that may set a secret's policy, tags and rotation: the deployers and the pipeline's role. Only deployers
        may store a key by hand."""
        role = [self.names.role_arn(self.names.deployer_role)] if self.pipeline else []
        return (*self.deployers, *role)

    def hands_over(self, used: Iterable[Consumer]) -> bool:
        """Whether a person may read the key of a tenant whose consumers are `used`, to paste it into a dashboard."""
        return self.handover is not None and any(one.pasted for one in used)

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


def _rehearsal_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """docs/adr/0025: what protects production is walked by the rehearsal, and by no other local cell."""
    local, production = data.get("local") is True, data.get("production") is True
    if data.get("rehearsal") is not True:
        if local and production:
            reason = "A local cell can be deleted at any time, so it cannot be production."
            yield Refusal("local-production", reason, "set production: false.", ("production",))
    elif not local:
        reason = "rehearsal is for a local cell: it says that everything here can be lost."
        yield Refusal("rehearsal-not-local", reason, "delete rehearsal.", ("rehearsal",))
    elif not production:
        reason = "A rehearsal without production: true rehearses nothing: it is a local cell like any other."
        yield Refusal("rehearsal-not-production", reason, "set production: true, or delete rehearsal.", ("rehearsal",))


def _connect_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Whoever approves a pipeline's runs would decide what a page on the internet does with customers' keys."""
    pipeline, connect = (data.get(name) for name in ("pipeline", "connect"))
    deploys = cast(Mapping[str, Any], pipeline).get("deploys") if isinstance(pipeline, Mapping) else None
    enabled = cast(Mapping[str, Any], connect).get("enabled") if isinstance(connect, Mapping) else None
    if deploys == "everything" and enabled is True:
        reason = "A pipeline that deploys everything has no right to make a public function, and should have none."
        yield Refusal(
            "connect-by-pipeline", reason, "write deploys: tenants, or delete connect.", ("connect", "enabled")
        )


def _handover_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    pipeline = data.get("pipeline")
    deploys = cast(Mapping[str, Any], pipeline).get("deploys") if isinstance(pipeline, Mapping) else None
    if deploys == "everything" and data.get("handover") is not None:
        reason = "A pipeline that deploys everything would decide who reads keys, and has no right to make that role."
        yield Refusal("handover-by-pipeline", reason, "write deploys: tenants, or delete handover.", ("handover",))


def cell_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between a cell's fields. Takes the file's raw values, so that they are reported together with other
    errors."""
    account, openai = data.get("account_id"), data.get("openai")
    yield from _rehearsal_refusals(data)
    if data.get("local") is True:
        if isinstance(account, str) and account != LOCAL_ACCOUNT:
            reason = (
                "A local cell must use an account id that AWS does not have, so that it cannot reach a real account."
            )
            yield Refusal("local-account", reason, f'write account_id: "{LOCAL_ACCOUNT}".', ("account_id",))
        if isinstance(openai, Mapping) and cast(Mapping[str, Any], openai).get("base_url") is not None:
            reason = "A local cell's OpenAI address changes with every start; it is read from the running cell."
            yield Refusal("local-base-url", reason, "delete base_url.", ("openai", "base_url"))
    elif account == LOCAL_ACCOUNT:
        reason = "This account id is reserved for local cells; AWS has no such account."
        yield Refusal("local-account", reason, "write the id of your AWS account, or set local: true.", ("account_id",))
    if data.get("production") is True and not data.get("alarm_emails"):
        reason = "A production cell needs alarm_emails: otherwise nobody receives the alarm of a failed rotation."
        yield Refusal("alarms-unheard", reason, "add alarm_emails: [oncall@example.com].", ("alarm_emails",))
    yield from _connect_refusals(data)
    yield from _handover_refusals(data)
    yield from federation_refusals(data)
    yield from principal_refusals(data)
    yield from replica_refusals(data)
    yield from state_refusals(data)
