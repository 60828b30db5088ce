"""Everything that is decided about one tenant in one cycle."""

from __future__ import annotations

from typing import Final

from functions.health.calls import judge_calls
from functions.health.drift import judge_drift
from functions.health.facts import Catalogue, Facts
from functions.health.forecast import judge_forecast
from functions.health.handover_judge import judge_handovers
from functions.health.history import History
from functions.health.retirement import judge_retirement
from functions.health.secret_life import judge_country, judge_key, judge_presence
from functions.health.spend import budget_subject, judge_budget
from functions.health.trouble import KINDS, Judgement

OF_PRESENCE: Final = frozenset({"undeclared", "secret_missing", "secret_deleting"})


def judge(facts: Facts, catalogue: Catalogue, before: History) -> Judgement:
    """A tenant without a declaration or a usable secret is judged by that alone."""
    presence = judge_presence(facts)
    if facts.declaration is None or facts.secret is None or facts.secret.deleting:
        return presence + Judgement(unknown=frozenset(KINDS) - OF_PRESENCE)
    told = before.open.get(("budget_reached", budget_subject(facts)))
    parts = (
        presence,
        judge_calls(facts),
        judge_retirement(facts, catalogue),
        judge_budget(facts, told.stage if told else 0),
        judge_forecast(facts),
        judge_drift(facts),
        judge_key(facts),
        judge_country(facts, catalogue),
        judge_handovers(facts, before),
    )
    return sum(parts, Judgement())


def judge_gone() -> Judgement:
    """Of a tenant that has neither declaration nor secret any more: only what was wrong with those is over."""
    return Judgement(unknown=frozenset(KINDS) - OF_PRESENCE)
