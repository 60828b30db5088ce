"""One tenant: what `tenants/<slug>.yaml` may say.

Owns the fields and the rules between them. Leaves out the rules between several files (`tenancy/clashes.py`), and names
and ARNs, which `myflux_keys.names` derives.
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
from tenancy.credential import Credential, credential_refusals
from tenancy.fields import CellSlug, Flag, FrozenMapping, Model, NotEmpty, TenantSlug, Text, Unique, refuse, refused
from tenancy.openai import checked_organization
from tenancy.problems import Refusal
from tenancy.rotation import Rotation
from tenancy.spending import Budget, RateLimit

MANAGED_ONLY: Final = {
    "permission": "The customer sets the permission of their own key.",
    "rate_limits": "The customer sets the rate limits of their own project.",
    "budget": "The customer sets the budget of their own account.",
    "rotation": "MyFlux Keys cannot rotate a customer's key without an admin key of their organization.",
}
"""Fields that are refused for a customer's own key, with the reason."""


def _name(text: str) -> str:
    if not 1 <= len(text) <= 80 or text != text.strip() or not text.isprintable():
        refused(
            "bad-name",
            "A name must be 1 to 80 printable characters, without spaces before or after it.",
            "shorten or trim the name.",
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
    """Who uses the key: at least one of them."""

    myflux: Annotated[Flag, Field(description="true: MyFlux reads the key from the secret at run time.")] = True
    cinnox: Annotated[
        Flag,
        Field(
            description="true: a person pastes each new key into CINNOX's dashboard; then overlap_hours is at least 24."
        ),
    ] = False

    @property
    def used(self) -> list[Consumer]:
        """Those that use the key, in the table's order."""
        return [one for one in CONSUMERS if getattr(self, one.name)]


class Tenant(Model):
    """A MyFlux customer: one file, one stack, one secret and, if managed, one OpenAI project."""

    tenant: Annotated[
        TenantSlug,
        Field(
            description="The tenant's slug. The file has the same name. Never used again after off-boarding.",
            examples=["acme"],
        ),
    ]
    name: Annotated[
        Text,
        AfterValidator(_name),
        Field(
            description="The tenant's name for people: `key set`, `offboard` and `credential` show it when they ask, "
            "`check` in its report, and health's messages, `status`, `verify`, `handover` and the connect page name "
            "it. It is in AWS, in the declaration and in links; OpenAI does not get it.",
            examples=["Acme Travel"],
        ),
    ]
    cell: Annotated[
        CellSlug,
        Field(description="The slug of the cell that serves the tenant (cells/<slug>.yaml).", examples=["local"]),
    ]
    country: Annotated[
        Text,
        AfterValidator(_country),
        Field(
            description="The tenant's country, ISO 3166-1 alpha-2. OpenAI must offer its API there.",
            examples=["CR"],
            json_schema_extra={"enum": list(OFFERED_COUNTRIES)},
        ),
    ]
    source: Annotated[
        Literal["managed", "customer"],
        Field(
            description="managed: MyFlux Keys creates the OpenAI project and every key. customer: the customer has "
            "their own OpenAI organization and key; then permission, rate_limits, budget and rotation are not allowed, "
            "unless organization_id is set and they give an admin key of that organization."
        ),
    ]
    organization_id: Annotated[
        Text | None,
        AfterValidator(lambda text: None if text is None else checked_organization(text)),
        Field(
            description="Only with source: customer. The customer's OpenAI organization, of which they give an admin "
            "key. `up` creates the secret for it, and `myflux-keys admin-key set --tenant` stores it. Then add "
            "rotation, and keys are minted in their organization.",
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
    credential: Annotated[
        Credential,
        Field(
            description="With what the runtime calls OpenAI. key: a key in a secret, rotated. federated: no key; the "
            "runtime's AWS session is exchanged for a token of minutes (docs/credentials.md). Only with source: "
            "managed, and in a cell with federation. `myflux-keys credential` switches without a failed call."
        ),
    ] = "key"
    switching_from: Annotated[
        Credential | None,
        Field(
            description="While a switch is under way: what the tenant had before, which still works. "
            "`myflux-keys credential` writes and removes it."
        ),
    ] = None
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
            description="What a minted key, or a federated tenant's token, may do. restricted (the default): only what "
            "model calls need. all, read_only: OpenAI's own permissions. Only for minted keys."
        ),
    ] = None
    rate_limits: Annotated[
        Mapping[str, RateLimit],
        AfterValidator(FrozenMapping),
        PlainSerializer(_plain),
        Field(
            default_factory=lambda: FrozenMapping[str, RateLimit]({}),
            description="Limits by model, for some or all of `models`; other models keep the organization's limits. "
            "Only for minted keys.",
            examples=[{"gpt-5.4-mini": {"requests_per_minute": 500, "tokens_per_minute": 200000}}],
        ),
    ]
    budget: Annotated[
        Budget | None,
        Field(
            description="Default: no limit and no alert. Only for minted keys.",
            examples=[{"monthly_usd": 200}],
        ),
    ] = None
    rotation: Annotated[
        Rotation | None,
        Field(
            description="Required with source: managed. With source: customer only if organization_id is set.",
            examples=[{"every_days": 31, "overlap_hours": 24}],
        ),
    ] = None
    consumers: Annotated[
        Consumers, Field(description="Who uses the key. Default: only myflux.", examples=[{"cinnox": True}])
    ] = Consumers()
    enabled: Annotated[
        Flag, Field(description="false: nobody can read the key, from seconds after `up`. Nothing is deleted.")
    ] = True

    @property
    def minted(self) -> bool:
        """Whether MyFlux Keys mints the keys; otherwise the customer provides one, and only they can revoke it."""
        return self.rotation is not None

    @property
    def has_key(self) -> bool:
        """Whether there is a secret with a key, perhaps only until a switch is complete."""
        return "key" in (self.credential, self.switching_from)

    @property
    def reads_key(self) -> bool:
        """Whether the runtime may read the secret: not while it gets tokens, though there may still be a key."""
        return self.enabled and self.credential == "key"

    @property
    def has_identity(self) -> bool:
        """Whether OpenAI has a federation rule for it, perhaps only until a switch is complete."""
        return "federated" in (self.credential, self.switching_from)

    @property
    def schedule(self) -> str | None:
        """The tenant's schedule expression, or None without rotation."""
        return slots.cron(self.tenant, self.cell, self.rotation.interval_hours) if self.rotation else None

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        """A minted key has the least permission that works, unless the file sets another."""
        fields = cast(dict[str, Any], data) if isinstance(data, dict) else {}
        if fields.get("source") == "managed" or (fields.get("organization_id") and fields.get("rotation")):
            return {"permission": "restricted"} | fields
        return cast(object, data)

    @model_validator(mode="after")
    def _rules(self) -> Self:
        refuse(tenant_refusals(self.model_dump()))
        return self


def tenant_refusals(data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Rules between a tenant's fields. Takes the file's raw values, so that they are reported together with other
    errors."""
    own = data.get("organization_id")
    if data.get("source") == "customer" and not own:
        for field, reason in MANAGED_ONLY.items():
            if data.get(field):
                way_out = f"delete `{field}`, set source: managed, or add organization_id if they give an admin key."
                yield Refusal("managed-only", reason, way_out, (field,))
    if data.get("source") == "customer" and own and not data.get("rotation"):
        for field in ("permission", "rate_limits", "budget"):
            if data.get(field):
                reason = (
                    "Without rotation, nothing is created in the customer's organization, so this would have no effect."
                )
                yield Refusal("missing-rotation", reason, f"add rotation, or delete `{field}`.", (field,))
    if data.get("source") == "managed" and own:
        reason = "A managed tenant's keys are minted in the cell's organization, not in one of its own."
        yield Refusal("customer-only", reason, "delete it, or set source: customer.", ("organization_id",))
    if data.get("source") == "managed" and data.get("rotation") is None:
        reason = "A managed tenant needs a rotation; it has no default, since you decide how long a key is valid."
        yield Refusal("missing-field", reason, "add rotation: {every_days: 31, overlap_hours: 24}.", ("rotation",))
    models, limits = data.get("models"), data.get("rate_limits")
    if isinstance(models, list | tuple) and isinstance(limits, Mapping):
        for model in cast(Mapping[str, Any], limits):
            if model not in models:
                reason = "This rate limit is for a model that is not in `models`."
                way_out = "add the model to `models`, or delete its rate limit."
                yield Refusal("limit-without-model", reason, way_out, ("rate_limits", model))
    yield from credential_refusals(data)
    yield from _consumer_refusals(data.get("consumers"), data.get("rotation"))


def _consumer_refusals(consumers: Any, rotation: Any) -> Iterator[Refusal]:
    if not isinstance(consumers, Mapping):
        return
    used = cast(Mapping[str, Any], consumers)
    if not any(used.get(one.name, Consumers.model_fields[one.name].default) for one in CONSUMERS):
        way_out = "set one of the consumers to true; to stop reads for some time, set enabled: false."
        yield Refusal(
            "no-consumer", "No consumer uses the key, and an unused key is only a risk.", way_out, ("consumers",)
        )
    asked = cast(Mapping[str, Any], rotation) if isinstance(rotation, Mapping) else dict[str, Any]()
    overlap = asked.get("overlap_hours")
    every_hours = asked.get("every_hours") if asked.get("every_days") is None else None
    for one in CONSUMERS:
        if used.get(one.name) is not True:
            continue
        least = f"overlap_hours: {one.least_overlap_hours} or more"
        if isinstance(every_hours, int) and every_hours < one.least_overlap_hours:
            reason = f"{one.reason} An overlap is at most the interval."
            way_out = f"write every_days: 1 or more and {least} in place of every_hours, or set {one.name}: false."
            yield Refusal("interval-too-short", reason, way_out, ("rotation", "every_hours"))
        elif isinstance(overlap, int) and overlap < one.least_overlap_hours:
            way_out = f"write {least}, or set {one.name}: false."
            yield Refusal("overlap-too-short", one.reason, way_out, ("rotation", "overlap_hours"))
