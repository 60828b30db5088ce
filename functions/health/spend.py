"""What a tenant spent, against its budget.

Owns the month (UTC, as OpenAI's limits), the sums and the shares. Everything is Decimal US dollars: OpenAI's limits are
in cents and its costs in dollars, and only `dollars` converts. The costs are before tax, come late and are restated,
and a missing bucket is no zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from functions.health.facts import Facts
from functions.health.retirement import today
from functions.health.trouble import Finding, Judgement

SHARES: Final = (80, 100)
"""Percentages of a budget whose tenant declares no `alert_percent`."""


def dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100


def month_days(days: Mapping[date, Decimal], of: date) -> dict[date, Decimal]:
    return {day: usd for day, usd in days.items() if (day.year, day.month) == (of.year, of.month)}


def share(spent: Decimal, budget: Decimal) -> Decimal:
    """Percent of the budget, exact."""
    return spent * 100 / budget


def judge_budget(facts: Facts, told: int = 0) -> Judgement:
    """`told` is the stage of this month's trouble with this budget, 0 if there is none: a cost restated below it
    neither ends it nor starts it again. The stage is the percentage reached.

    The subject holds month and budget, so that a new month or another budget ends it.
    """
    kind = "budget_reached"
    if facts.declaration is None or facts.declaration.budget is None:
        return Judgement(unknown=frozenset() if facts.declaration else frozenset({kind}))
    if facts.days is None:
        return Judgement(unknown=frozenset({kind}))
    budget = facts.declaration.budget
    spent = sum(month_days(facts.days, today(facts.now)).values(), Decimal(0))
    shares = budget.alert_percent or SHARES
    reached = [one for one in shares if spent * 100 >= one * Decimal(budget.monthly_usd)]
    stage = max([*reached, told])
    if stage == 0:
        return Judgement()
    values = {
        "percent": str(stage),
        "spent": f"{spent:.2f}",
        "budget": str(budget.monthly_usd),
        "share": f"{share(spent, Decimal(budget.monthly_usd)):.2f}",
    }
    return Judgement((Finding(kind, budget_subject(facts), stage, values),))


def budget_subject(facts: Facts) -> str:
    """Month and budget."""
    budget = facts.declaration.budget if facts.declaration else None
    return f"{today(facts.now):%Y-%m} {budget.monthly_usd if budget else 0}"
