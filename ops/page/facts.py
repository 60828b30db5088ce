"""What the page shows, as JSON values: a fleet's view with its sums done, so that the script only draws.

Compact, since a fleet may have 2,000 tenants: what is not known is left out, a time is whole minutes since 1970, and
what many tenants have alike, such as a model or what to do, stands once in a list and is a number elsewhere.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final, Generic, TypeVar, cast

from myflux_keys.redaction import redact
from ops.actions.fleet_view import (
    NEEDS_A_PERSON,
    ORDER,
    CellView,
    FleetView,
    HandoverView,
    KeyTimes,
    ModelView,
    SpendView,
    TenantView,
    TroubleView,
)

DAYS: Final = 35
"""Of spend, up to the day on which the fleet was asked: always more than a month."""


T = TypeVar("T")


def facts(fleet: FleetView) -> dict[str, Any]:
    """Everything that the page shows. No text in it is shaped like a key."""
    tenants = sorted(
        ((cell, one) for cell in fleet.cells for one in cell.tenants),
        key=lambda pair: (ORDER.index(pair[1].severity), pair[0].name, pair[1].slug),
    )
    models, texts = _Shared[ModelView](), _Shared[str]()
    first_day = fleet.as_of.date() - timedelta(days=DAYS - 1)
    return _without_keys(
        {
            "headline": headline(fleet),
            "as_of": _minutes(fleet.as_of),
            "first_day": _minutes_of_day(first_day),
            "cells": [_cell(one, texts) for one in fleet.cells],
            "tenants": [_tenant(cell, one, first_day, models, texts) for cell, one in tenants],
            "models": [_model(one, fleet.as_of.date()) for one in models.found],
            "texts": [*texts.found],
        }
    )


class _Shared(Generic[T]):
    """Values that tenants have alike, in the order in which they were met."""

    def __init__(self) -> None:
        self.found: dict[T, int] = {}

    def number(self, value: T) -> int:
        return self.found.setdefault(value, len(self.found))


def headline(fleet: FleetView) -> str:
    """One sentence, which says that all is well only if each tenant was seen to be."""
    tenants = [one.severity for cell in fleet.cells for one in cell.tenants]
    needy = sum(one in NEEDS_A_PERSON for one in tenants)
    of_cells = sum(one.severity in NEEDS_A_PERSON for cell in fleet.cells for one in cell.troubles)
    beside = "1 trouble concerns a whole cell or organization"
    if of_cells > 1:
        beside = f"{of_cells} troubles concern whole cells or organizations"
    if needy:
        said = f"{needy:,} of {_counted(len(tenants))} need{'s' if needy == 1 else ''} a person"
        return f"{said}, and {beside}" if of_cells else said
    if of_cells:
        return beside
    if unknown := sum(one == "unknown" for one in tenants):
        are = "is" if unknown == 1 else "are"
        return f"No tenant is known to need a person, and {unknown:,} of {_counted(len(tenants))} {are} not known"
    if fleet.severity == "unknown":
        return "No tenant is known to need a person, but not everything was seen"
    if not tenants:
        return "No tenants yet"
    on = sum(one == "ok" for one in tenants)
    return f"{_counted(on)} {'works' if on == 1 else 'work'}, none needs a person" if on else "Every tenant is off"


def _counted(number: int) -> str:
    return f"{number:,} tenant{'' if number == 1 else 's'}"


def _cell(cell: CellView, texts: _Shared[str]) -> dict[str, Any]:
    return _known(
        name=cell.name,
        as_of=_minutes(cell.as_of),
        health_as_of=_minutes(cell.health_as_of),
        troubles=[_trouble(one, texts) for one in cell.troubles],
    )


def _tenant(
    cell: CellView, one: TenantView, first_day: date, models: _Shared[ModelView], texts: _Shared[str]
) -> dict[str, Any]:
    return _known(
        cell=cell.name,
        slug=one.slug,
        name=one.name,
        source=one.source,
        enabled=one.enabled,
        readable=one.readable,
        keyless=one.keyless or None,
        state=one.state,
        severity=one.severity,
        troubles=[_trouble(each, texts) for each in one.troubles] or None,
        through=one.through and texts.number(one.through),
        key=_key(one.key) or None,
        spend=_spend(one.spend, first_day) if one.spend else None,
        requests=one.requests,
        pace=_pace(one.requests, cell.health_as_of),
        models=[models.number(each) for each in one.models] or None,
        consumers=list(one.consumers) or None,
        handovers=[_handover(each) for each in one.handovers] or None,
        seen=_minutes(one.seen),
    )


def _handover(one: HandoverView) -> dict[str, Any]:
    times = {"since": one.since, "connected": one.connected, "ends": one.ends}
    return _known(consumer=one.consumer, state=one.state, **{word: _minutes(time) for word, time in times.items()})


def _trouble(one: TroubleView, texts: _Shared[str]) -> dict[str, Any]:
    """`sentence`, `do` and `page` are numbers of texts. A command names its tenant, so it is none of those."""
    return _known(
        severity=one.severity,
        sentence=texts.number(one.sentence),
        since=_minutes(one.since),
        do=one.do and texts.number(one.do),
        command=one.command,
        page=one.page and texts.number(one.page),
        whose=one.whose,
    )


def _key(key: KeyTimes) -> dict[str, Any]:
    return _known(
        minted=_minutes(key.minted),
        promoted=_minutes(key.promoted),
        overlap_ends=_minutes(key.overlap_ends),
        expires=_minutes(key.expires),
        next_rotation=_minutes(key.next_rotation),
        pending=key.pending,
    )


def _spend(spend: SpendView, first_day: date) -> dict[str, Any]:
    """`days` are dollars from `first_day` on, null for a day that OpenAI has not told. `provisional` are their numbers.
    `month` to `limit` are texts; `percent` is of the budget."""
    days: list[float | None] = [None] * DAYS
    provisional: list[int] = []
    for day in spend.days:
        number = (day.day - first_day).days
        if 0 <= number < DAYS:
            days[number] = float(round(day.usd, _places(day.usd)))
            if day.provisional:
                provisional.append(number)
    return _known(
        days=days,
        provisional=provisional or None,
        month=dollars(spend.month_usd),
        budget=None if spend.budget_usd is None else dollars(Decimal(spend.budget_usd)),
        daily=None if spend.budget_usd is None else round(spend.budget_usd / _days_of_month(spend.as_of.date()), 4),
        percent=_percent(spend.month_usd, spend.budget_usd),
        hard=spend.hard,
        limit=None if spend.limit_usd is None else dollars(spend.limit_usd),
        as_of=_minutes(spend.as_of),
    )


def dollars(amount: Decimal) -> str:
    """``$1,234.50``; four places below ten cents, where two would say nothing. Rounded down, as its share of the
    budget is."""
    return f"${amount.quantize(Decimal(1).scaleb(-_places(amount)), ROUND_DOWN):,}"


def _places(amount: Decimal) -> int:
    return 4 if 0 < amount < Decimal("0.1") else 2


def _percent(spent: Decimal, budget: int | None) -> float | None:
    """Rounded down, so that 100 is told when it is reached and not before."""
    return float((spent / budget * 100).quantize(Decimal("0.01"), ROUND_DOWN)) if budget else None


def _days_of_month(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _pace(requests: int | None, looked: datetime | None) -> float | None:
    """Requests a minute on average. `requests` are those of the hour of the look and of the hour before it."""
    return None if requests is None or looked is None else round(requests / (60 + looked.minute), 3)


def _model(one: ModelView, today: date) -> dict[str, Any]:
    """`left` is days until the end, negative after it."""
    return _known(
        model=one.model,
        default=one.default,
        ends=None if one.ends is None else one.ends.isoformat(),
        left=None if one.ends is None else (one.ends - today).days,
        replacement=one.replacement,
        requests_per_minute=one.requests_per_minute,
        tokens_per_minute=one.tokens_per_minute,
    )


def _minutes(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() // 60)


def _minutes_of_day(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 24 * 60


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _without_keys(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: _without_keys(each) for name, each in cast("dict[str, Any]", value).items()}
        case list():
            return [_without_keys(each) for each in cast("list[Any]", value)]
        case _:
            return value
