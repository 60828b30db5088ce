"""One finding of a review: of the files' own rules, the pack, the proof or the engine.

Owns the record, its effect on the exit code, and joining the same finding of many stacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ops.review.file_line import Place


class Outcome(Enum):
    """`ADVICE` is reported and does not fail the review; `UNJUDGED` was not checked, so it does not pass."""

    VIOLATION = "violation"
    UNJUDGED = "unjudged"
    ADVICE = "advice"


@dataclass(frozen=True)
class Remark:
    """`before`: the base has it too. `resource` and `path` name the property that causes it, where there is one; `urns`
    are that resource in each of `stacks`."""

    rule: str
    outcome: Outcome
    severity: str
    message: str
    why: str = ""
    fix: str = ""
    source: str = ""
    place: Place | None = None
    stacks: tuple[str, ...] = ()
    resource: str = ""
    path: str = ""
    urns: tuple[str, ...] = ()
    before: bool = False


SEVERITIES = ("critical", "high", "medium", "low", "")
_ORDER = {Outcome.VIOLATION: 0, Outcome.UNJUDGED: 1, Outcome.ADVICE: 2}


def exit_code(remarks: Iterable[Remark]) -> int:
    """0 all checks pass, 1 a rule fails, 2 something could not be checked."""
    outcomes = {remark.outcome for remark in remarks}
    return 1 if Outcome.VIOLATION in outcomes else 2 if Outcome.UNJUDGED in outcomes else 0


def gathered(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Worst first; remarks that differ only in the tenant are joined."""
    groups: dict[tuple[object, ...], list[Remark]] = {}
    for remark in remarks:
        groups.setdefault(_same(remark), []).append(remark)
    merged = [
        replace(
            group[0],
            stacks=tuple(dict.fromkeys(stack for one in group for stack in one.stacks)),
            urns=tuple(dict.fromkeys(urn for one in group for urn in one.urns)),
        )
        for group in groups.values()
    ]
    return tuple(sorted(merged, key=_worst_first))


def _same(remark: Remark) -> tuple[object, ...]:
    texts = (remark.resource, remark.path, remark.message)
    return (remark.rule, remark.outcome, remark.place, remark.before, *(_nameless(t, remark.stacks) for t in texts))


def _nameless(text: str, stacks: Sequence[str]) -> str:
    for stack in stacks:
        tenant, dot, _ = stack.rpartition(".")
        if dot:
            text = re.sub(rf"(?<![a-z0-9]){re.escape(tenant)}(?![a-z0-9])", "<tenant>", text)
    return text


def _worst_first(remark: Remark) -> tuple[object, ...]:
    known = SEVERITIES.index(remark.severity) if remark.severity in SEVERITIES else len(SEVERITIES)
    place = remark.place or Place("~")
    return (_ORDER[remark.outcome], remark.before, known, remark.rule, place, remark.resource)
