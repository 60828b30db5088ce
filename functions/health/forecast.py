"""What a tenant will have spent at the end of the month, as a range.

Owns the arithmetic. Only full days count: OpenAI's costs of today and yesterday may still be restated. Each coming day
costs what that weekday cost before, or any day if no such weekday was seen; the range is twice the standard deviation
of what this rule missed so far, which grows with the root of the days to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from functions.health.facts import Facts
from functions.health.retirement import today
from functions.health.spend import month_days
from functions.health.trouble import Finding, Judgement

FULL_DAYS: Final = 3
"""Fewer give no forecast."""
WINDOW_DAYS: Final = 28
PROVISIONAL_DAYS: Final = 2
"""Today and yesterday."""


@dataclass(frozen=True)
class Forecast:
    """US dollars at the month's end, at least and at most."""

    low: Decimal
    high: Decimal


def forecast(days: Mapping[date, Decimal], now: date) -> Forecast | None:
    """None: too early, fewer than FULL_DAYS full days are known."""
    last_full = now - timedelta(days=PROVISIONAL_DAYS)
    known = {day: usd for day, usd in days.items() if last_full - timedelta(days=WINDOW_DAYS) < day <= last_full}
    if len(known) < FULL_DAYS:
        return None
    spent = sum(month_days(days, now).values(), Decimal(0))
    # Yesterday and today are counted as forecast where that is more: what was booked so far is only a part.
    expected = sum((usd for day, usd in month_days(days, now).items() if day <= last_full), Decimal(0))
    coming = [day for day in _rest(now) if day > last_full]
    expected += sum((_of(day, known) for day in coming), Decimal(0))
    spread = 2 * (_variance(known) * len(coming)).sqrt()
    return Forecast(max(expected - spread, spent), max(expected + spread, spent))


def _rest(now: date) -> list[date]:
    """The days of the month from the first provisional one to its end."""
    day = max(now - timedelta(days=PROVISIONAL_DAYS - 1), now.replace(day=1))
    days: list[date] = []
    while day.month == now.month:
        days.append(day)
        day += timedelta(days=1)
    return days


def _of(day: date, known: Mapping[date, Decimal]) -> Decimal:
    same = [usd for other, usd in known.items() if other.weekday() == day.weekday()]
    return _mean(same or list(known.values()))


def _mean(values: list[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


def _variance(known: Mapping[date, Decimal]) -> Decimal:
    return _mean([(usd - _of(day, known)) ** 2 for day, usd in known.items()])


def judge_forecast(facts: Facts) -> Judgement:
    """Trouble if even the range's lower end reaches a budget that is not yet spent."""
    kind = "budget_forecast"
    declared = facts.declaration
    if declared is None or declared.budget is None:
        return Judgement(unknown=frozenset() if declared else frozenset({kind}))
    found = None if facts.days is None else forecast(facts.days, today(facts.now))
    if facts.days is None or found is None:
        return Judgement(unknown=frozenset({kind}))
    spent = sum(month_days(facts.days, today(facts.now)).values(), Decimal(0))
    budget = Decimal(declared.budget.monthly_usd)
    if found.low < budget or spent >= budget:
        return Judgement()
    values = {"low": f"{found.low:.2f}", "high": f"{found.high:.2f}", "budget": str(declared.budget.monthly_usd)}
    return Judgement((Finding(kind, f"{today(facts.now):%Y-%m}", values=values),))
