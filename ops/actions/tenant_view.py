"""One tenant as a row: from its file, its secret, and what the health function remembers of it. Pure.

Owns which of these facts decide its state. Leaves out what is wrong with it (`tenant_troubles.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from functions.health.forecast import PROVISIONAL_DAYS
from functions.health.spend import dollars, month_days
from myflux_keys.names import TAG_OVERLAP_HOURS
from myflux_keys.version_labels import PREVIOUS
from ops.actions.fleet_view import (
    DayView,
    KeyTimes,
    ModelView,
    SpendView,
    TenantView,
    troubles_by_need,
)
from ops.actions.handover_view import handover_views
from ops.actions.tenant_troubles import Seen, is_looked_at, moment, troubles
from ops.actions.trouble_view import words
from tenancy.catalogue import REPLACEMENTS, shutdown


def tenant_view(seen: Seen) -> TenantView:
    own = troubles_by_need(troubles(seen))
    tenant, status, memory = seen.tenant, seen.status, seen.remembered
    view = TenantView(
        slug=status.tenant,
        name=tenant.name if tenant else None,
        source=status.source,
        enabled=status.enabled,
        readable=status.readable,
        state=status.state,
        severity="ok",
        troubles=own,
        key=_key(seen),
        spend=_spend(seen),
        requests=memory.requests if memory else None,
        models=tuple(_models(seen)),
        consumers=tuple(one.name for one in tenant.consumers.used) if tenant else (),
        handovers=tuple(handover_views(tenant, None if seen.unlooked else memory, seen.secret and seen.secret.current)),
        seen=moment(memory.seen_at) if memory else None,
        links=seen.links,
        keyless=tenant is not None and not tenant.has_key,
    )
    return _judged(view, seen)


def _judged(view: TenantView, seen: Seen) -> TenantView:
    """With the worst of its troubles as its state. AWS's own word for a trouble stays."""
    worst = troubles_by_need([*view.troubles, *seen.shared])[:1]
    unlooked = bool(seen.unlooked) and is_looked_at(seen)
    if worst and not (worst[0].severity == "unknown" and unlooked):
        own = worst[0] in view.troubles
        word = words(worst[0].kind) if not own or view.state in _WELL else view.state
        through = None if own else worst[0].sentence
        return replace(view, severity=worst[0].severity, state=word, through=through)
    if unlooked:
        return replace(view, severity="unknown", state="not checked", through=seen.unlooked)
    if view.enabled is False:
        return replace(view, severity="off")
    return view


_WELL: Final = ("ok", "tokens", "disabled", "pending")


def _key(seen: Seen) -> KeyTimes:
    secret, memory = seen.secret, seen.remembered
    if secret is None:
        return KeyTimes()
    known = memory is not None and memory.key_version is not None and memory.key_version == secret.current
    hours = secret.tags.get(TAG_OVERLAP_HOURS)
    before = any(PREVIOUS in labels for labels in secret.stages.values())
    overlap = None
    if before and hours and secret.last_rotated:
        overlap = secret.last_rotated + timedelta(hours=float(hours))
    return KeyTimes(
        minted=moment(memory.key_minted_at) if memory and known else None,
        promoted=secret.last_rotated,
        overlap_ends=overlap,
        expires=moment(memory.key_expires_at) if memory and known else None,
        next_rotation=secret.next_rotation if secret.rotation_enabled else None,
        pending=secret.pending,
    )


def _spend(seen: Seen) -> SpendView | None:
    memory = seen.remembered
    if memory is None or memory.days is None:
        return None
    as_of = datetime.fromtimestamp(seen.costs_as_of, UTC)
    first_provisional = as_of.date() - timedelta(days=PROVISIONAL_DAYS - 1)
    budget = seen.tenant.budget if seen.tenant else None
    cents = memory.spend_limit_cents
    return SpendView(
        days=tuple(DayView(day, usd, day >= first_provisional) for day, usd in sorted(memory.days.items())),
        month_usd=sum(month_days(memory.days, as_of.date()).values(), Decimal(0)),
        budget_usd=budget.monthly_usd if budget else None,
        hard=budget.hard if budget else None,
        limit_usd=None if cents is None else dollars(cents),
        as_of=as_of,
    )


def _models(seen: Seen) -> Iterator[ModelView]:
    """The day that OpenAI told the health function is newer than that of the list that we ship."""
    if seen.tenant is None:
        return
    told: Mapping[str, Mapping[str, str]] = {
        one.subject: one.values for one in seen.found if one.kind in ("model_retiring", "model_retired")
    }
    for place, model in enumerate(seen.tenant.models):
        values, limit = told.get(model, {}), seen.tenant.rate_limits.get(model)
        ends = _day(values.get("date")) or _day(shutdown(model))
        yield ModelView(
            model,
            place == 0,
            ends,
            values.get("replacement") or REPLACEMENTS.get(model),
            limit.requests_per_minute if limit else None,
            limit.tokens_per_minute if limit else None,
        )


def _day(text: str | None) -> date | None:
    """None for what is no day too: another version's state may hold anything."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
