"""What tenants may cost at OpenAI, as a chapter of the report and as plain values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from ops.actions.estimate import DAYS
from ops.prices import SOURCE
from ops.review.spending import CALL, CALLS_A_DAY, Bill, Spending, prices_as_of

MOST: Final = 30
"""Tenants that are shown: a comment on GitHub takes 65,536 characters."""


def chapter(found: Sequence[Spending]) -> list[str]:
    """Empty where no model, limit or budget changes."""
    if not found:
        return []
    as_of = prices_as_of(found)
    lines = [
        "### What tenants may cost at OpenAI",
        "",
        f"| USD | | budget a month | {CALLS_A_DAY:,} calls a day | at its rate limits, by day and night |",
        "|---|---|---:|---:|---:|",
        *(
            f"| **{one.tenant}** | {one.what} | {_both(one, _budget)} | {_both(one, _usual)} | {_both(one, _most)} |"
            for one in found[:MOST]
        ),
    ]
    if len(found) > MOST:
        lines += ["", f"… {len(found) - MOST} more; `--json` has them all."]
    told = as_of.isoformat() if as_of else "an unknown day"
    return [
        *lines,
        "",
        f"For {DAYS} days before tax, for calls of {CALL.input:,} tokens sent and {CALL.output} answered. A hard "
        f"budget stops calls; one with alerts only does not. Prices: {SOURCE}, read on {told}. With a tenant's own "
        "load: `myflux-keys estimate TENANT`.",
    ]


def facts(found: Sequence[Spending]) -> dict[str, Any]:
    as_of = prices_as_of(found)
    return {
        "days": DAYS,
        "load": {"calls_a_day": CALLS_A_DAY, "input_tokens": CALL.input, "output_tokens": CALL.output},
        "prices": {"source": SOURCE, "as_of": as_of.isoformat() if as_of else None},
        "tenants": [
            {
                "tenant": one.tenant,
                "what": one.what,
                "before": _bill(one.before),
                "after": _bill(one.after),
            }
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


def _both(one: Spending, tell: Callable[[Bill], str]) -> str:
    sides = [tell(bill) for bill in (one.before, one.after) if bill is not None]
    return " → ".join(dict.fromkeys(sides))


def _budget(one: Bill) -> str:
    if one.budget is None:
        return "none"
    return f"{one.budget:,}{'' if one.hard else ', alerts only'}"


def _usual(one: Bill) -> str:
    return f"{one.model} {'no price' if one.usual is None else f'{one.usual:,.2f}'}"


def _most(one: Bill) -> str:
    return "no limit or no price" if one.most is None else f"{one.most:,.0f}"
