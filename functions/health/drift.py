"""Limits at OpenAI that differ from the declaration, each with both values.

Owns the comparison. A tenant that declares no limit of a kind is compared for spend and models only: without declared
rate limits the organization's apply, and those are no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from functions.health.facts import Facts, Limits
from functions.health.spend import dollars
from functions.health.trouble import Finding, Judgement
from myflux_keys.declaration import Declaration

KIND: Final = "limit_drift"
NONE: Final = "-"
"""No limit, in a finding's values."""


def judge_drift(facts: Facts) -> Judgement:
    if facts.declaration is None or facts.limits is None:
        return Judgement(unknown=frozenset({KIND}))
    return Judgement(tuple(_differences(facts.declaration, facts.limits)))


def _differences(declared: Declaration, limits: Limits) -> Iterator[Finding]:
    hard = declared.budget.monthly_usd if declared.budget and declared.budget.hard else None
    have = None if limits.spend_limit_cents is None else dollars(limits.spend_limit_cents)
    if have != hard:
        ours = NONE if hard is None else f"{hard:.2f} USD"
        yield _difference("spend limit", ours, NONE if have is None else f"{have:.2f} USD")
    if limits.models != frozenset(declared.models):
        theirs = NONE if limits.models is None else ", ".join(sorted(limits.models))
        yield _difference("models", ", ".join(sorted(declared.models)), theirs)
    for model, limit in sorted(declared.rate_limits.items()):
        found = limits.rate_limits.get(model)
        pairs = (
            ("requests/min", limit.requests_per_minute, found.requests_per_minute if found else None),
            ("tokens/min", limit.tokens_per_minute, found.tokens_per_minute if found else None),
        )
        for unit, ours, theirs in pairs:
            if ours != theirs:
                yield _difference(unit, str(ours), NONE if theirs is None else str(theirs), model)


def _difference(limit: str, declared: str, have: str, model: str = "") -> Finding:
    values = {"limit": limit, "model": model, "declared": declared, "actual": have}
    return Finding(KIND, f"{model} {limit}".strip(), values=values)
