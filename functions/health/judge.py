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
from myflux_keys.declaration import Declaration

OF_PRESENCE: Final = frozenset({"undeclared", "secret_missing", "secret_deleting", "secret_left", "identity_missing"})


def judge(facts: Facts, catalogue: Catalogue, before: History) -> Judgement:
    """A tenant without a declaration, or without what its calls need, is judged by that alone."""
    presence = judge_presence(facts)
    if facts.declaration is None or not _can_call(facts, facts.declaration):
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


def _can_call(facts: Facts, declared: Declaration) -> bool:
    """Whether it has a secret or, without a key, an identity; a disabled one of those needs none."""
    if not declared.has_key:
        return facts.identity or not declared.enabled
    return facts.secret is not None and not facts.secret.deleting


def judge_gone() -> Judgement:
    """Of a tenant that has neither declaration nor secret any more: only what was wrong with those is over."""
    return Judgement(unknown=frozenset(KINDS) - OF_PRESENCE)
