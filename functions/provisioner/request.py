"""The provisioner's input, the Invocation's JSON, checked completely before the first call.

Owns the input's schema and its error messages. Leaves out the calls. Pulumi's
`aws.lambda_.Invocation` with `lifecycle_scope="CRUD"` adds the key ``tf`` with `action` and `prev_input`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, cast

from functions.shared.scopes import SCOPES
from myflux_keys.identity import AWS_ISSUER, audience
from myflux_keys.names import ORGANIZATION_ID, SERVICE_ACCOUNT, TENANT_SLUG, customer_admin_secret, project_name
from myflux_keys.role_names import runtime_role_arn

SCHEMA: Final = 1
Action = Literal["create", "update", "delete"]

_FIELDS: Final = frozenset(
    {"schema", "tenant", "cell", "project", "service_account", "models", "rate_limits", "budget", "organization_id"}
    | {"federation", "keys"}
)
_TRUST: Final = frozenset({"issuer", "audience", "subject", "permission"})
_LIMITS: Final = frozenset({"requests_per_minute", "tokens_per_minute"})
_BUDGET: Final = frozenset({"monthly_usd", "hard", "alert_percent", "emails"})
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+", re.ASCII)
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)


class BadRequest(Exception):
    """The input breaks a rule; nothing was called. The message names the field, the rule and the way out."""


@dataclass(frozen=True)
class RateLimit:
    """None: not limited by the tenant's file."""

    requests_per_minute: int | None
    tokens_per_minute: int | None


@dataclass(frozen=True)
class Budget:
    """`monthly_cents` of US dollars; `alert_cents` are thresholds, ascending and without repeats."""

    monthly_cents: int
    hard: bool
    alert_cents: tuple[int, ...]
    emails: tuple[str, ...]


@dataclass(frozen=True)
class Trust:
    """Whose tokens OpenAI takes for the tenant: AWS's `issuer` and `audience`, of sessions of the role `subject`."""

    issuer: str
    audience: str
    subject: str
    permission: str


@dataclass(frozen=True)
class Request:
    """The required state of a tenant's OpenAI project."""

    action: Action
    tenant: str
    cell: str
    project: str
    service_account: str
    models: tuple[str, ...]
    rate_limits: Mapping[str, RateLimit]
    budget: Budget | None
    organization_id: str = ""
    """The customer's organization, if they gave an admin key of it; empty for the cell's."""
    federation: Trust | None = None
    """None: OpenAI must have no federation rule for the tenant."""
    had_rule: bool = False
    """Whether OpenAI may have a federation rule from before, though `federation` is None."""
    keys: bool = True
    """False: the tenant has no key any more, so every key of the service account is ended."""

    @property
    def admin_secret(self) -> str | None:
        return customer_admin_secret(self.cell, self.tenant) if self.organization_id else None


def read_request(event: Mapping[str, Any], cell: str, function_arn: str) -> Request:
    """`function_arn` is this function's own, of the cell's account.

    Raises BadRequest. On delete only the names are checked, so that a tenant can always be off-boarded."""
    lifecycle = event.get("tf")
    if not isinstance(lifecycle, dict) or cast("dict[str, Any]", lifecycle).get("action") not in (
        "create",
        "update",
        "delete",
    ):
        raise BadRequest("`tf.action` must be create, update or delete: call this through an Invocation of scope CRUD")
    tf = cast("dict[str, Any]", lifecycle)
    action = cast("Action", tf["action"])
    fields = {name: value for name, value in event.items() if name != "tf"}
    if fields.get("schema") != SCHEMA:
        raise BadRequest(
            f"`schema` must be {SCHEMA}: program and function have different versions; deploy the cell's platform"
        )
    unknown = sorted(set(fields) - _FIELDS)
    if unknown and action != "delete":
        raise BadRequest(f"unknown fields: {', '.join(unknown)}")
    tenant, project = _names(fields, cell)
    organization = _organization(fields.get("organization_id", ""))
    previous = _previous(tf.get("prev_input"))
    # pulumi-aws records the input of an update that failed, so one that is called again without a change may repeat it:
    # https://github.com/hashicorp/terraform-provider-aws/issues/43447
    had_rule = previous.get("federation") is not None or (action == "update" and previous == fields)
    if action == "delete":
        had_rule = had_rule or fields.get("federation") is not None
        return Request(action, tenant, cell, project, SERVICE_ACCOUNT, (), {}, None, organization, had_rule=had_rule)
    models = _models(fields.get("models"))
    keys: Any = fields.get("keys", True)
    if not isinstance(keys, bool):
        raise BadRequest("`keys` must be true or false, or left out")
    request = Request(
        action,
        tenant,
        cell,
        project,
        SERVICE_ACCOUNT,
        models,
        _rate_limits(fields.get("rate_limits"), models),
        _budget(fields.get("budget")),
        organization,
        _trust(fields.get("federation"), cell, organization, runtime_role_arn(cell, function_arn)),
        had_rule,
        keys,
    )
    if action == "update":
        _check_change(request, previous)
    return request


def _names(fields: Mapping[str, Any], cell: str) -> tuple[str, str]:
    tenant: Any = fields.get("tenant")
    if not isinstance(tenant, str) or not TENANT_SLUG.fullmatch(tenant):
        raise BadRequest(f"`tenant` must be a slug ({TENANT_SLUG.pattern})")
    if fields.get("cell") != cell:
        raise BadRequest(f"`cell` is {fields.get('cell')!r}, but this function serves cell {cell!r}")
    # A project's name follows from cell and tenant alone.
    project = project_name(cell, tenant)
    if fields.get("project") != project:
        raise BadRequest(f"`project` must be {project!r}: any other name would be another tenant's")
    if fields.get("service_account") != SERVICE_ACCOUNT:
        raise BadRequest(f"`service_account` must be {SERVICE_ACCOUNT!r}")
    return tenant, project


def _organization(value: Any) -> str:
    if not isinstance(value, str) or (value and not ORGANIZATION_ID.fullmatch(value)):
        raise BadRequest("`organization_id` is the id of the customer's own OpenAI organization (org-…), or left out")
    return value


def _trust(value: Any, cell: str, organization: str, runtime: str) -> Trust | None:
    """A rule of any other audience, role, account or issuer would let tokens in that are not this cell's. Who deploys
    may call this function, and may get no tenant's token."""
    if value is None:
        return None
    if organization:
        raise BadRequest("`federation` is for tenants of the cell's own organization, so without `organization_id`")
    fields = _object(value, "federation")
    if frozenset(fields) != _TRUST or not all(isinstance(text, str) for text in fields.values()):
        raise BadRequest(f"`federation` must have exactly the texts {', '.join(sorted(_TRUST))}")
    trust = Trust(**fields)
    if not AWS_ISSUER.fullmatch(trust.issuer):
        raise BadRequest("`federation.issuer` must be the https URL of the AWS account's outbound federation")
    if trust.audience != audience(cell):
        raise BadRequest(f"`federation.audience` must be {audience(cell)!r}: any other is not this cell's")
    if trust.subject != runtime:
        raise BadRequest(f"`federation.subject` must be {runtime}, the cell's runtime role, and no pattern")
    if trust.permission not in SCOPES:
        raise BadRequest(f"`federation.permission` must be one of {', '.join(SCOPES)}")
    return trust


def _models(value: Any) -> tuple[str, ...]:
    items = _list(value, "models")
    models = [item for item in items if isinstance(item, str) and _MODEL.fullmatch(item)]
    if not models or len(models) != len(items) or len(set(models)) != len(models):
        raise BadRequest("`models` must be a list of different model ids, at least one")
    return tuple(models)


def _rate_limits(value: Any, models: tuple[str, ...]) -> dict[str, RateLimit]:
    limits: dict[str, RateLimit] = {}
    for model, given in _object({} if value is None else value, "rate_limits").items():
        where = f"rate_limits.{model}"
        if model not in models:
            raise BadRequest(f"`{where}`: the model is not in `models`, so the limit would have no effect")
        fields = _object(given, where)
        if not fields or set(fields) - _LIMITS:
            raise BadRequest(
                f"`{where}` must have at least one of {' and '.join(sorted(_LIMITS))}, and no other fields"
            )
        limits[model] = RateLimit(**{name: _optional_count(fields, name, where) for name in _LIMITS})
    return limits


def _budget(value: Any) -> Budget | None:
    if value is None:
        return None
    fields = _object(value, "budget")
    if set(fields) - _BUDGET:
        raise BadRequest(f"`budget` may have only {', '.join(sorted(_BUDGET))}")
    usd: Any = fields.get("monthly_usd")
    hard: Any = fields.get("hard", False)
    if isinstance(usd, bool) or not isinstance(usd, int | float) or not 0 < usd <= 100_000_000:
        raise BadRequest("`budget.monthly_usd` must be a number above 0")
    if not isinstance(hard, bool):
        raise BadRequest("`budget.hard` must be true or false")
    percents = _list(fields.get("alert_percent", []), "budget.alert_percent")
    emails = _list(fields.get("emails", []), "budget.emails")
    if not all(isinstance(p, int) and not isinstance(p, bool) and 0 < p <= 1000 for p in percents):
        raise BadRequest("`budget.alert_percent` must be whole numbers from 1 to 1000")
    if not all(isinstance(email, str) and _EMAIL.fullmatch(email) for email in emails):
        raise BadRequest("`budget.emails` must be e-mail addresses")
    cents = Decimal(str(usd)) * 100
    return Budget(
        monthly_cents=max(int(cents), 1),
        hard=hard,
        alert_cents=tuple(sorted({max(int(cents * percent / 100), 1) for percent in percents})),
        emails=tuple(sorted(set(emails))),
    )


def _check_change(request: Request, previous: Mapping[str, Any]) -> None:
    """Refuses a removed rate limit: OpenAI's API cannot remove one, and does not show the default."""
    old: Any = previous.get("rate_limits") or {}
    for model in cast("dict[str, Any]", old) if isinstance(old, dict) else {}:
        before = cast("dict[str, Any]", old)[model]
        now = request.rate_limits.get(model)
        for name in sorted(_LIMITS):
            had = isinstance(before, dict) and cast("dict[str, Any]", before).get(name) is not None
            if model in request.models and had and (now is None or getattr(now, name) is None):
                raise BadRequest(
                    f"`rate_limits.{model}.{name}` was removed from the tenant's file, but OpenAI cannot remove a "
                    "limit: keep the field and set it to the new value"
                )


def _previous(value: Any) -> Mapping[str, Any]:
    try:
        parsed: Any = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        parsed = None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}


def _optional_count(fields: Mapping[str, Any], name: str, where: str) -> int | None:
    value: Any = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRequest(f"`{where}.{name}` must be a whole number above 0")
    return value


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"`{where}` must be an object")
    return cast("dict[str, Any]", value)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"`{where}` must be a list")
    return cast("list[Any]", value)
