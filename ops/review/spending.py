"""What a change of models, limits or budget costs a month at OpenAI, from tenants' files alone.

Owns the figures. Pure. The files do not say how many calls a tenant makes, so there are three: the budget, the price of
one load that is the same for everybody, and the most that the rate limits allow. Leaves out AWS's prices (`cost`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from ops import prices
from ops.actions.estimate import DAYS
from ops.prices import Call, NoPrice
from ops.review.tenant_files import TenantChange, What
from tenancy import Fleet, Tenant

CALLS_A_DAY: Final = 1000
CALL: Final = Call(2000, 300)
"""A question with its instructions, and an answer: round numbers, to compare with. An embedding has no answer."""
_MINUTES_A_DAY: Final = 1440


@dataclass(frozen=True)
class Bill:
    """US dollars before tax. `budget` is None without one; `hard`: OpenAI blocks calls above it. `usual` is DAYS of
    CALLS_A_DAY by the default `model`, None where that has no price. `most` is DAYS at the rate limits of all models,
    by day and night; None where a model has no limit in the file, or no price."""

    model: str
    budget: int | None
    hard: bool
    usual: Decimal | None
    most: Decimal | None


@dataclass(frozen=True)
class Spending:
    """`before` is None for a new tenant, `after` for one that is gone."""

    tenant: str
    what: What
    before: Bill | None
    after: Bill | None


def spendings(then: Fleet, now: Fleet, changes: Iterable[TenantChange], day: date) -> tuple[Spending, ...]:
    """Of the changed tenants whose models, rate limits or budget differ, at the prices of `day`."""
    return tuple(_spendings(then, now, changes, day))


def prices_as_of(found: Iterable[Spending]) -> date | None:
    """The day of the prices; None where no model has one."""
    bills = [bill for one in found for bill in (one.before, one.after) if bill is not None]
    priced = [bill.model for bill in bills if bill.usual is not None]
    return prices.as_of(priced) if priced else None


def _spendings(then: Fleet, now: Fleet, changes: Iterable[TenantChange], day: date) -> Iterator[Spending]:
    for one in changes:
        # A file that was removed removes nothing else: the tenant goes on to spend.
        if one.what == "file removed":
            continue
        was, is_now = then.tenants.get(one.tenant), now.tenants.get(one.tenant)
        if was is None or is_now is None or _priced(was) != _priced(is_now):
            yield Spending(one.tenant, one.what, was and _bill(was, day), is_now and _bill(is_now, day))


def _priced(tenant: Tenant) -> tuple[object, ...]:
    budget = tenant.budget
    return tenant.models, tenant.rate_limits, budget and (budget.monthly_usd, budget.hard)


def _bill(tenant: Tenant, day: date) -> Bill:
    model, budget = tenant.models[0], tenant.budget
    usual = _month(model, Decimal(CALLS_A_DAY), day)
    hard = budget is not None and budget.hard
    return Bill(model, budget.monthly_usd if budget else None, hard, usual, _most(tenant, day))


def _most(tenant: Tenant, day: date) -> Decimal | None:
    found: list[Decimal] = []
    for model in tenant.models:
        limit = tenant.rate_limits.get(model)
        if limit is None:
            return None
        tokens = CALL.input + CALL.output
        a_minute = min(Decimal(limit.requests_per_minute), Decimal(limit.tokens_per_minute) / tokens)
        month = _month(model, a_minute * _MINUTES_A_DAY, day)
        if month is None:
            return None
        found.append(month)
    return sum(found, Decimal(0))


def _month(model: str, calls_a_day: Decimal, day: date) -> Decimal | None:
    """None where the table has no price: never another model's."""
    try:
        call = CALL if prices.price(model, day).output is not None else Call(CALL.input, 0)
        return prices.cost(model, call, day) * calls_a_day * DAYS
    except NoPrice:
        return None
