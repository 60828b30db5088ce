"""The sweep function's event, checked strictly before the first call.

Owns the event's fields. Leaves out the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from myflux_keys.names import ORGANIZATION_ID, TENANT_SLUG

CONTRACT: Final = 2
"""The number of the requests and answers. Raise it with a command that needs more of the function: commands ask for it
before they change anything, since the deployed function may be older."""


class RequestError(Exception):
    """The event is invalid. The message names the field and the rule."""


@dataclass(frozen=True)
class SweepRequest:
    """`tenants` None: all of the cell. `due`: only tenants that are due, as the schedule sets it. `governance`: also
    test whether OpenAI would still grant a key. `seconds` limits the work, besides the invocation's own time. `after`:
    continue after this tenant, the `next` of the last answer."""

    tenants: list[str] | None = None
    dry_run: bool = False
    due: bool = False
    governance: bool = False
    seconds: float | None = None
    after: str | None = None


@dataclass(frozen=True)
class OrphansRequest:
    """Only compares secrets with projects. `tenants` None: all of the cell. `dry_run`: put no metrics."""

    tenants: list[str] | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class RevokeRequest:
    """`whole_project`: revoke every key in the project, whoever made it; the secret may be deleted.
    `organization_id`: the customer's, if keys were minted there and the secret is deleted."""

    tenant: str
    whole_project: bool = False
    organization_id: str | None = None


@dataclass(frozen=True)
class KeysRequest:
    """Lists a tenant's valid keys; with `rules` also its federation rules, a call for each of the cell's providers."""

    tenant: str
    organization_id: str | None = None
    rules: bool = False


@dataclass(frozen=True)
class InspectRequest:
    tenant: str


@dataclass(frozen=True)
class ContractRequest:
    """Asks for CONTRACT. Nothing else is called."""


Request = SweepRequest | OrphansRequest | RevokeRequest | KeysRequest | InspectRequest | ContractRequest


def read_request(event: Mapping[str, Any]) -> Request:
    """Raises RequestError."""
    fields = dict(event)
    action: Any = fields.pop("action", None)
    request: Request
    if action == "revoke":
        whole = _flag(fields, "whole_project")
        request = RevokeRequest(_slug(fields.pop("tenant", None), "tenant"), whole, _organization(fields))
    elif action == "keys":
        slug, organization = _slug(fields.pop("tenant", None), "tenant"), _organization(fields)
        request = KeysRequest(slug, organization, _flag(fields, "rules"))
    elif action == "inspect":
        request = InspectRequest(_slug(fields.pop("tenant", None), "tenant"))
    elif action == "sweep":
        request = _sweep(fields)
    elif action == "contract":
        request = ContractRequest()
    elif action == "orphans":
        request = OrphansRequest(_tenants(fields), _flag(fields, "dry_run"))
    else:
        raise RequestError(f"action must be one of sweep, orphans, revoke, keys, inspect, contract; got {action!r}")
    if fields:
        raise RequestError(f"{action} has no field {sorted(fields)[0]!r}")
    return request


def _sweep(fields: dict[str, Any]) -> SweepRequest:
    tenants = _tenants(fields)
    seconds: Any = fields.pop("seconds", None)
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0):
        raise RequestError(f"seconds must be a number above 0, got {seconds!r}")
    after: Any = fields.pop("next", None)
    flags = {name: _flag(fields, name) for name in ("dry_run", "due", "governance")}
    return SweepRequest(tenants, seconds=seconds, after=None if after is None else _slug(after, "next"), **flags)


def _tenants(fields: dict[str, Any]) -> list[str] | None:
    tenants: Any = fields.pop("tenants", None)
    if tenants is None:
        return None
    if not isinstance(tenants, list) or not tenants:
        raise RequestError("tenants must be a list of at least one slug, or null for all of the cell")
    return [_slug(tenant, "tenants") for tenant in cast("list[Any]", tenants)]


def _flag(fields: dict[str, Any], name: str) -> bool:
    flag: Any = fields.pop(name, False)
    if not isinstance(flag, bool):
        raise RequestError(f"{name} must be true or false, got {flag!r}")
    return flag


def _organization(fields: dict[str, Any]) -> str | None:
    value: Any = fields.pop("organization_id", None)
    if value is not None and (not isinstance(value, str) or not ORGANIZATION_ID.fullmatch(value)):
        raise RequestError(f"organization_id must be the customer's (org-…), or be left out, got {value!r}")
    return value


def _slug(value: Any, name: str) -> str:
    if not isinstance(value, str) or not TENANT_SLUG.fullmatch(value):
        raise RequestError(f"{name} must be a tenant's slug ({TENANT_SLUG.pattern}), got {value!r}")
    return value
