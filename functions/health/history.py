"""The trouble of one scope (a tenant, an organization or the cell) over time: what started, got worse and ended.

Owns starting and ending, pure. A kind that could not be judged in a cycle keeps its trouble as it is: missing data
neither starts nor ends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from functions.health.trouble import KINDS, Finding, Judgement

Slot = tuple[str, str]
"""Kind and subject."""
_REMEMBERED: Final = 3
_TO_START: Final = 2
_TO_END: Final = "00"


@dataclass(frozen=True)
class Trouble:
    """An open trouble. `since` is Unix seconds, `stage` the worst so far. `together`: a message about many tenants told
    its start, so its end is told with theirs."""

    kind: str
    subject: str
    stage: int
    since: float
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    together: bool = False

    @property
    def slot(self) -> Slot:
        return self.kind, self.subject


@dataclass(frozen=True)
class History:
    """`seen`: for lasting kinds, whether the last three judged cycles had it, newest last, as in ``"101"``."""

    open: Mapping[Slot, Trouble] = field(default_factory=dict[Slot, Trouble])
    seen: Mapping[Slot, str] = field(default_factory=dict[Slot, str])


@dataclass(frozen=True)
class Change:
    history: History
    started: tuple[Trouble, ...] = ()
    worse: tuple[Trouble, ...] = ()
    ended: tuple[Trouble, ...] = ()


def advance(before: History, judgement: Judgement, now: float) -> Change:
    found = {finding.slot: finding for finding in judgement.findings}
    seen = _seen(before, found, judgement.unknown)
    still: dict[Slot, Trouble] = {}
    started: list[Trouble] = []
    worse: list[Trouble] = []
    ended: list[Trouble] = []
    for slot, finding in found.items():
        trouble = before.open.get(slot)
        if trouble is None:
            if not KINDS[finding.kind].lasting or seen[slot].count("1") >= _TO_START:
                still[slot] = Trouble(finding.kind, finding.subject, finding.stage, now, dict(finding.values))
                started.append(still[slot])
            continue
        still[slot] = replace(trouble, stage=max(trouble.stage, finding.stage), values=dict(finding.values))
        if finding.stage > trouble.stage:
            worse.append(still[slot])
    for slot, trouble in before.open.items():
        if slot in found:
            continue
        kind = KINDS[trouble.kind]
        if trouble.kind in judgement.unknown or (kind.lasting and not seen[slot].endswith(_TO_END)):
            still[slot] = trouble
        else:
            ended.append(trouble)
    kept = {slot: text for slot, text in seen.items() if "1" in text or slot in still}
    return Change(History(still, kept), tuple(started), tuple(worse), tuple(ended))


def _seen(before: History, found: Mapping[Slot, Finding], unknown: frozenset[str]) -> dict[Slot, str]:
    slots = {*before.seen, *found, *before.open}
    seen: dict[Slot, str] = {}
    for slot in slots:
        if not KINDS[slot[0]].lasting:
            continue
        text = before.seen.get(slot, "")
        if slot in found:
            text += "1"
        elif slot[0] not in unknown:
            text += "0"
        seen[slot] = text[-_REMEMBERED:]
    return seen
