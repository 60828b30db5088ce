"""One tenant: what `tenants/<slug>.yaml` may say.

Owns the fields and the rules among them. Leaves out what takes other files to know (`tenancy/fleet.py`), and every
name and address, which `myflux_keys.names` derives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from myflux_keys.consumers import CONSUMERS, Consumer
from myflux_keys.names import TAG_MODELS
from tenancy import slots
from tenancy.aws_limits import TAG
from tenancy.aws_prices import KEY_MONTH
from tenancy.catalogue import OFFERED_COUNTRIES, OFFERED_MODELS, country_refusal, model_refusal
from tenancy.cell import checked_organization
from tenancy.fields import CellSlug, Flag, FrozenMapping, Model, NotEmpty, TenantSlug, Text, Unique, refuse, refused
from tenancy.problems import Refusal
from tenancy.rotation import Rotation
from tenancy.spending import Budget, RateLimit

MANAGED_ONLY: Final = {
    "permission": "The scopes of a customer's own key are the customer's to set.",
    "rate_limits": "The rate limits of a customer's own project are the customer's to set.",
    "budget": "A customer's own spending is theirs to limit.",
    "rotation": "MyFlux Keys cannot mint a customer's key without an admin key of theirs, so it must not claim to "
    "rotate it.",
}
"""Fields that a customer's own key cannot have, with the reason."""


def _name(text: str) -> str:
    if not 1 <= len(text) <= 80 or text != text.strip() or not text.isprintable():
        refused(
            "bad-name", "A name is 1 to 80 printable characters without spaces around it.", "shorten or trim the name."
        )
    return text


def _country(text: str) -> str:
    refusal = country_refusal(text)
    refuse([refusal] if refusal else [])
    return text


def _model(text: str) -> str:
    refusal = model_refusal(text)
    refuse([refusal] if refusal else [])
    return text


def _models(models: tuple[str, ...]) -> tuple[str, ...]:
    length = len(" ".join(models))
    if length > TAG.most:
        holds = f"The secret's tag {TAG_MODELS} holds the models joined by a space"
        reason = f"{holds}: {length} characters, and AWS takes {TAG.most}."
        refused("name-too-long", reason, "list fewer models; dated snapshots are rarely needed beside the plain name.")
    return models


def _plain(limits: Mapping[str, RateLimit]) -> dict[str, RateLimit]:
    return dict(limits)


ModelName = Annotated[Text, AfterValidator(_model), Field(json_schema_extra={"enum": list(OFFERED_MODELS)})]


class Consumers(Model):
    """Who uses the key. At least one."""

    myflux: Annotated[Flag, Field(description="MyFlux reads the key from the secret at run time.")] = True
    cinnox: Annotated[
        Flag,
        Field(description="A person pastes each new key into CINNOX's dashboard, so the overlap is at least 24 hours."),
    ] = False

    @property
    def used(self) -> list[Consumer]:
        """Those that use the key, in the table's order."""
        return [one for one in CONSUMERS if getattr(self, one.name)]


class Tenant(Model):
    """A MyFlux customer: one file, one stack, one secret and, if managed, one OpenAI project."""

    tenant: Annotated[
        TenantSlug,
        Field(description="The slug, also the file's name. Never reused after off-boarding.", examples=["acme"]),
    ]
    name: Annotated[
        Text, AfterValidator(_name), Field(description="The name that people read.", examples=["Acme Travel"])
    ]
    cell: Annotated[
        CellSlug, Field(description="The cell that serves the tenant: a file in cells/.", examples=["local"])
    ]
    country: Annotated[
        Text,
        AfterValidator(_country),
        Field(
            description="ISO 3166-1 alpha-2. Refused where OpenAI does not offer its API.",
            examples=["CR"],
            json_schema_extra={"enum": list(OFFERED_COUNTRIES)},
        ),
    ]
    source: Annotated[
        Literal["managed", "customer"],
        Field(
            description="managed: MyFlux Keys makes the project and every key. customer: the customer's own OpenAI "
            "account and key; then permission, rate_limits, budget and rotation are refused: they are set in an "
            "account that is not ours, unless organization_id says that they gave an admin key of it."
        ),
    ]
    organization_id: Annotated[
        Text | None,
        AfterValidator(lambda text: None if text is None else checked_organization(text)),
        Field(
            description="source: customer only. The customer's OpenAI organization, of which they give an admin key: "
            "`up` makes its place, `myflux-keys admin-key set --tenant` stores it; then rotation is added, and keys "
            "are minted in their organization as a managed tenant's are in ours.",
            examples=["org-example"],
        ),
    ] = None
    isolation: Annotated[
        Literal["shared", "dedicated"],
        Field(
            description="shared: the cell's KMS key and runtime role, told apart by session tag. dedicated: a KMS key "
            f"(${KEY_MONTH:.0f} a month) and a role of the tenant's own, for either source, since both concern the "
            "secret."
        ),
    ] = "shared"
    models: Annotated[
        tuple[ModelName, ...],
        Field(
            description="The models that the tenant may use; the first is the default.",
            examples=[["gpt-5.4-mini"]],
            json_schema_extra={"uniqueItems": True, "minItems": 1},
        ),
        NotEmpty,
        Unique,
        AfterValidator(_models),
    ]
    permission: Annotated[
        Literal["all", "restricted", "read_only"] | None,
        Field(
            description="What a minted key may do: restricted (the default) is what calling models takes; all and "
            "read_only are OpenAI's own. Managed tenants only."
        ),
    ] = None
    rate_limits: Annotated[
        Mapping[str, RateLimit],
        AfterValidator(FrozenMapping),
        PlainSerializer(_plain),
        Field(
            default_factory=lambda: FrozenMapping[str, RateLimit]({}),
            description="By model, for some or all of `models`; the rest keep the organization's limits. "
            "Managed tenants only.",
        ),
    ]
    budget: Annotated[Budget | None, Field(description="Left out: no limit and no alert. Managed tenants only.")] = None
    rotation: Annotated[
        Rotation | None,
        Field(
            description="Needed for managed tenants; for customers only with an organization_id.",
            examples=[{"every_days": 31, "overlap_hours": 24}],
        ),
    ] = None
    consumers: Annotated[Consumers, Field(description="Left out: myflux alone.")] = Consumers()
    enabled: Annotated[
        Flag, Field(description="false: nobody can read the key, within seconds of `up`. Nothing is deleted.")
    ] = True

    @property
    def minted(self) -> bool:
        """Whether keys are minted here; otherwise the customer brings one, and only they can end it."""
        return self.rotation is not None

    @property
    def schedule(self) -> str | None:
        """The cron slot of the tenant's own, or None if nothing rotates."""
        return slots.cron(self.tenant, self.cell, self.rotation.interval_hours) if self.rotation else None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        """A managed key has the least permission that works unless the file asks for another."""
        fields = cast(dict[str, Any], data) if isinstance(data, dict) else {}
        if fields.get("source") == "managed" or (fields.get("organization_id") and fields.get("rotation")):
            return {"permission": "restricted"} | fields
        return cast(object, data)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        refuse(tenant_refusals(self.model_dump()))
        return self


def tenant_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules among a tenant's fields. Takes the file's raw values, so that they are checked beside other errors."""
    own = data.get("organization_id")
    if data.get("source") == "customer" and not own:
        for field, reason in MANAGED_ONLY.items():
            if data.get(field):
                way_out = f"delete `{field}`, set source: managed, or add organization_id if they give an admin key."
                yield Refusal("managed-only", reason, way_out, (field,))
    if data.get("source") == "customer" and own and not data.get("rotation"):
        for field in ("permission", "rate_limits", "budget"):
            if data.get(field):
                reason = "Nothing is made in the customer's organization until a rotation is given."
                yield Refusal("missing-rotation", reason, f"add rotation, or delete `{field}`.", (field,))
    if data.get("source") == "managed" and own:
        reason = "A managed tenant's keys are minted in the cell's organization."
        yield Refusal("customer-only", reason, "delete it, or set source: customer.", ("organization_id",))
    if data.get("source") == "managed" and data.get("rotation") is None:
        reason = "A managed tenant needs a rotation: how long a key lives is a decision, so there is no default."
        yield Refusal("missing-field", reason, "add rotation: {every_days: 31, overlap_hours: 24}.", ("rotation",))
    models, limits = data.get("models"), data.get("rate_limits")
    if isinstance(models, list | tuple) and isinstance(limits, Mapping):
        for model in cast(Mapping[str, Any], limits):
            if model not in models:
                reason = "A rate limit is given for a model that the tenant may not use."
                way_out = "add the model to `models`, or delete its rate limit."
                yield Refusal("limit-without-model", reason, way_out, ("rate_limits", model))
    yield from _consumer_refusals(data.get("consumers"), data.get("rotation"))


def _consumer_refusals(consumers: Any, rotation: Any) -> Iterator[Refusal]:
    if not isinstance(consumers, Mapping):
        return
    used = cast(Mapping[str, Any], consumers)
    if used.get("myflux") is False and not used.get("cinnox"):
        way_out = "set one of the consumers to true; to stop reads for a while, set enabled: false."
        yield Refusal(
            "no-consumer", "Nobody would use the key, and an unused key is only a risk.", way_out, ("consumers",)
        )
    overlap = cast(Mapping[str, Any], rotation).get("overlap_hours") if isinstance(rotation, Mapping) else None
    for one in CONSUMERS:
        if used.get(one.name) is True and isinstance(overlap, int) and overlap < one.least_overlap_hours:
            way_out = f"write overlap_hours: {one.least_overlap_hours} or more, or set {one.name}: false."
            yield Refusal("overlap-too-short", one.reason, way_out, ("rotation", "overlap_hours"))
