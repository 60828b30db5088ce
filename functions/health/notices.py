"""Which messages a cycle sends: one when a trouble starts or gets worse, one when it ends.

Owns the folding: trouble of many tenants with one cause is one message, and later tenants of it add none. Pure. Leaves
out the words (`messages.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from functions.health.history import Change, History, Trouble
from functions.health.trouble import KINDS, TENANT

FOLD_AT: Final = 5
"""Tenants with one cause that are one message."""
Event = Literal["started", "worse", "ended"]


@dataclass(frozen=True, order=True)
class Scope:
    """`of` is ``tenant``, ``organization`` or ``cell``, and `id` its slug or id."""

    of: str
    id: str


@dataclass(frozen=True)
class Notice:
    """`who` has one scope, or each tenant of a folded one."""

    event: Event
    trouble: Trouble
    who: tuple[Scope, ...]
    folded: bool = False


@dataclass(frozen=True)
class Told:
    """`histories` with what was told together marked. `together`: the causes told as one, with the time of the first
    start."""

    notices: tuple[Notice, ...]
    histories: Mapping[Scope, History]
    together: Mapping[tuple[str, str], float]


@dataclass
class _Cause:
    started: list[tuple[Scope, Trouble]] = field(default_factory=list[tuple[Scope, Trouble]])
    worse: list[tuple[Scope, Trouble]] = field(default_factory=list[tuple[Scope, Trouble]])
    ended: list[tuple[Scope, Trouble]] = field(default_factory=list[tuple[Scope, Trouble]])


def tell(
    changes: Mapping[Scope, Change], histories: Mapping[Scope, History], together: Mapping[tuple[str, str], float]
) -> Told:
    """`histories` are those of all scopes that are still watched, after the changes; `together` is what earlier cycles
    told as one."""
    causes: dict[tuple[str, str], _Cause] = {}
    notices: list[Notice] = []
    for scope, change in sorted(changes.items()):
        for event in ("started", "worse", "ended"):
            for trouble in getattr(change, event):
                if KINDS[trouble.kind].quiet or (event == "ended" and _goes_on(trouble, change.history)):
                    continue
                if scope.of == TENANT and KINDS[trouble.kind].folds:
                    getattr(causes.setdefault(trouble.slot, _Cause()), event).append((scope, trouble))
                else:
                    notices.append(Notice(event, trouble, (scope,)))
    after = dict(histories)
    left = dict(together)
    for slot, cause in sorted(causes.items()):
        notices += _of_cause(slot, cause, after, left)
    # A tenant that left takes its trouble along without an end: what nobody has any more is forgotten.
    had = {slot for history in after.values() for slot, trouble in history.open.items() if trouble.together}
    return Told(tuple(notices), after, {slot: since for slot, since in left.items() if slot in had})


def _goes_on(trouble: Trouble, history: History) -> bool:
    """Whether it only became another of its family."""
    family = KINDS[trouble.kind].family
    return bool(family) and any(
        KINDS[kind].family == family and subject == trouble.subject for kind, subject in history.open
    )


def _of_cause(
    slot: tuple[str, str], cause: _Cause, after: dict[Scope, History], left: dict[tuple[str, str], float]
) -> Iterable[Notice]:
    having = [scope for scope, history in after.items() if scope.of == TENANT and slot in history.open]
    known = slot in left
    if cause.started and (known or len(having) >= FOLD_AT):
        if not known:
            left[slot] = min(trouble.since for _, trouble in cause.started)
            yield Notice("started", cause.started[0][1], tuple(scope for scope, _ in cause.started), folded=True)
        for scope, trouble in cause.started:
            after[scope] = _marked(after[scope], trouble)
    else:
        yield from (Notice("started", trouble, (scope,)) for scope, trouble in cause.started)
    if len(cause.worse) >= FOLD_AT:
        worst = max((trouble for _, trouble in cause.worse), key=lambda trouble: trouble.stage)
        yield Notice("worse", worst, tuple(scope for scope, _ in cause.worse), folded=True)
    else:
        yield from (Notice("worse", trouble, (scope,)) for scope, trouble in cause.worse)
    yield from (Notice("ended", trouble, (scope,)) for scope, trouble in cause.ended if not trouble.together)
    folded = [(scope, trouble) for scope, trouble in cause.ended if trouble.together]
    if folded and not any(after[scope].open[slot].together for scope in having):
        since = left.pop(slot, folded[0][1].since)
        yield Notice("ended", replace(folded[0][1], since=since), tuple(scope for scope, _ in folded), folded=True)


def _marked(history: History, trouble: Trouble) -> History:
    return replace(history, open={**history.open, trouble.slot: replace(trouble, together=True)})
