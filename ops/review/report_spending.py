"""What tenants may cost at OpenAI, as cells of the report's table of tenants and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from ops.actions.estimate import DAYS
from ops.prices import SOURCE
from ops.review.spending import CALL, CALLS_A_DAY, Bill, Spending, prices_as_of

COLUMNS: Final = (f"USD, {CALLS_A_DAY:,} calls a day", "USD at its rate limits")
"""Beside the budget, which the table has anyway."""


def cells(one: Bill | None) -> tuple[str, str]:
    """The texts of COLUMNS; empty where there is no file."""
    if one is None:
        return "", ""
    usual = "no price" if one.usual is None else f"{one.usual:,.2f}"
    return usual, "no limit or no price" if one.most is None else f"{one.most:,.0f}"


def about(found: Sequence[Spending]) -> str:
    """What the figures in COLUMNS are."""
    as_of = prices_as_of(found)
    told = as_of.isoformat() if as_of else "an unknown day"
    return (
        f"Costs are for {DAYS} days before tax, of calls with {CALL.input:,} tokens sent and {CALL.output} answered: "
        "by the default model, and of all models at their limits by day and night. "
        f"Prices: {SOURCE}, read on {told}. For a load of your own: `myflux-keys estimate TENANT`."
    )


def facts(found: Sequence[Spending]) -> dict[str, Any]:
    as_of = prices_as_of(found)
    return {
        "days": DAYS,
        "load": {"calls_a_day": CALLS_A_DAY, "input_tokens": CALL.input, "output_tokens": CALL.output},
        "prices": {"source": SOURCE, "as_of": as_of.isoformat() if as_of else None},
        "tenants": [
            {"tenant": one.tenant, "what": one.what, "before": _bill(one.before), "after": _bill(one.after)}
            for one in found
        ],
    }


def _bill(one: Bill | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "model": one.model,
        "budget_usd": one.budget,
        "hard": one.hard,
        "usual_usd": _exact(one.usual),
        "most_usd": _exact(one.most),
    }


def _exact(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd:.6f}"
