"""The event that asks for usage and costs, checked strictly before the first call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from functions.sweep.request import RequestError
from myflux_keys.names import TENANT_SLUG

BY: Final = ("model", "key", None)
"""What rows are grouped by besides the project and the day."""
MOST_DAYS: Final = 366
"""Days back that a command may ask for."""


@dataclass(frozen=True)
class UsageRequest:
    """`tenants` None: all of the cell, with what belongs to none. `since` None: the first of OpenAI's month. `before`:
    the day after the last one, the `next` of the answer before; None: with today."""

    tenants: tuple[str, ...] | None
    by: str | None
    since: date | None
    before: date | None


def read_usage_request(event: Mapping[str, Any]) -> UsageRequest:
    """Raises RequestError."""
    fields = {name: value for name, value in event.items() if name != "action"}
    tenants = _tenants(fields.pop("tenants", None))
    by: Any = fields.pop("by", None)
    since, before = _day(fields, "since"), _day(fields, "before")
    if fields:
        raise RequestError(f"usage has no field {sorted(fields)[0]!r}")
    if by not in BY:
        raise RequestError(f"by must be model, key or null, got {by!r}")
    if since is not None and before is not None and before <= since:
        raise RequestError(f"before must be after since ({since}), got {before}")
    return UsageRequest(tenants, by, since, before)


def _tenants(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise RequestError("tenants must be a list of at least one slug, or null for all of the cell")
    slugs = cast("list[Any]", value)
    for slug in slugs:
        if not isinstance(slug, str) or not TENANT_SLUG.fullmatch(slug):
            raise RequestError(f"tenants must hold tenants' slugs ({TENANT_SLUG.pattern}), got {slug!r}")
    return tuple(slugs)


def _day(fields: dict[str, Any], name: str) -> date | None:
    value: Any = fields.pop(name, None)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise RequestError(f"{name} must be a day as YYYY-MM-DD, or null, got {value!r}") from None
