"""What is wrong with a tenant's hand-overs, and how often it is told. Pure.

One trouble a consumer, which changes its kind: due, doubted, on its last day, missed. A reminder is a higher stage, by
whole days since the trouble began, so that nothing is told twice within a day.
"""

from __future__ import annotations

from typing import Final

from functions.health.facts import Facts
from functions.health.handover_facts import Handing
from functions.health.history import History
from functions.health.trouble import KINDS, Finding, Judgement
from functions.shared.handover import OldKey
from myflux_keys.payload import iso

DAY_SECONDS: Final = 86_400
FAMILY: Final = "handover"
_KINDS: Final = frozenset(name for name, kind in KINDS.items() if kind.family == FAMILY)


def judge_handovers(facts: Facts, before: History) -> Judgement:
    """Two consumers that a person serves share what is unknown: today there is one."""
    if facts.handovers is None:
        return Judgement(unknown=_KINDS)
    return sum((_judge(one, facts.now, before) for one in facts.handovers), Judgement())


def _judge(one: Handing, now: float, before: History) -> Judgement:
    state = one.standing.state
    if state == "unknown":
        return Judgement(unknown=_KINDS)
    if not one.standing.extends:
        return Judgement()
    if not one.looked and (state == "saved" or not _is_plainly_due(one, now, before)):
        return Judgement(unknown=_KINDS)
    kind = _due(one, now) if state == "due" else _saved(one, now)
    if kind is None:
        return Judgement(unknown=_KINDS)
    trouble = before.open.get((kind, one.consumer))
    days = 0 if trouble is None else int((now - trouble.since) // DAY_SECONDS)
    return Judgement((Finding(kind, one.consumer, 1 + days if _reminds(kind) else 1, _values(one)),))


def _is_plainly_due(one: Handing, now: float, before: History) -> bool:
    """Whether AWS alone shows it: it is no other kind yet, and its last day is not near."""
    others = _KINDS - {"handover_due"}
    is_near = one.last_day is not None and one.last_day - now <= DAY_SECONDS
    return not is_near and not any((kind, one.consumer) in before.open for kind in others)


def _reminds(kind: str) -> bool:
    return KINDS[kind].reminds


def _due(one: Handing, now: float) -> str:
    old = one.standing.old
    if one.looked and old is None and one.was_replaced:
        return "handover_missed"
    return "handover_last_day" if old is not None and _is_last_day(old, now) else "handover_due"


def _saved(one: Handing, now: float) -> str | None:
    """None: it is too early to tell."""
    old = one.standing.old
    if old is None or not one.standing.is_used(old):
        return None
    return "handover_last_day" if _is_last_day(old, now) else "handover_doubted"


def _is_last_day(old: OldKey, now: float) -> bool:
    return old.ends is not None and old.ends - now <= DAY_SECONDS


def _values(one: Handing) -> dict[str, str]:
    held, old = one.standing, one.standing.old
    moments = {"since": held.since, "ends": one.ends, "used": old.last_used_at if old else None}
    return {name: iso(int(moment)) for name, moment in moments.items() if moment is not None}
