"""A rotation of many tenants' keys, cell by cell, begun or gone on with: the lock, the record and the account.

Leaves out whose keys (`ops/selection.py`) and the run itself (`rotate.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions.pace import Budget, spoken
from ops.actions.rotate import Progress, Rotate, Waiting
from ops.errors import OperationError
from ops.journal import Journal
from ops.selection import Selection

_OPERATION: Final = "rotate"


@dataclass(frozen=True)
class Wanted:
    """What to rotate and how. `resume` goes on with a run that was stopped, or begins again; None leaves it open.
    `wait` follows each rotation to its end, for at most `minutes`."""

    tenants: Sequence[str]
    everyone: bool
    cell: str | None
    reason: str
    resume: bool | None
    wait: bool
    minutes: float


@dataclass(frozen=True)
class Talk:
    """How a person is told and asked. `resume` gets a sentence about the run that was stopped, and answers None where
    there is nobody to ask; `line` is open while a cell's keys are rotated."""

    tell: Callable[[str], None]
    resume: Callable[[str], bool | None]
    line: Callable[[], AbstractContextManager[Callable[[Progress], None]]]


@dataclass(frozen=True)
class Rotated:
    """A record for each cell, and tenants to why they were left out."""

    runs: list[Journal]
    left_out: dict[str, str]

    @property
    def failed(self) -> dict[str, str]:
        return {
            slug: entry.detail for run in self.runs for slug, entry in run.entries.items() if entry.outcome == "failed"
        }


def rotate(root: Path, wanted: Wanted, talk: Talk) -> Rotated:
    """Raises OperationError and TenancyError; a rotation that fails is told in its record's entry."""
    why = checked_reason(wanted.reason)
    slugs = [slug.strip() for slug in wanted.tenants]
    selections = selection.to_rotate(tenancy.load(root), slugs, everyone=wanted.everyone, cell=wanted.cell)
    for chosen in selections:
        with Account(chosen.cell, _OPERATION) as account:
            account.check()
    runs = [_cell(chosen, why, wanted, talk) for chosen in selections]
    return Rotated(runs, {slug: text for chosen in selections for slug, text in chosen.left_out.items()})


def _cell(chosen: Selection, reason: str, wanted: Wanted, talk: Talk) -> Journal:
    for slug, why in chosen.left_out.items():
        talk.tell(f"{slug} is left out: {why}.")
    with journal.alone(chosen.cell, _OPERATION) as place:
        run = _journal(place, chosen, reason, wanted.resume, talk)
        left = [slug for slug, entry in run.entries.items() if entry.outcome != "succeeded"]
        budget = Budget()
        talk.tell(
            f"{chosen.cell.cell}: {len(left)} of {len(run.entries)} to rotate, {budget.per_minute} a minute: about "
            f"{spoken(budget.seconds_for(len(left)))}."
        )
        with Account(chosen.cell, _OPERATION, run.reason) as account, talk.line() as progress:
            waiting = Waiting(give_up_seconds=wanted.minutes * 60)
            try:
                done = Rotate(account, run, follow=wanted.wait, tell=progress, waiting=waiting).run()
            except BaseException:
                talk.tell("Stopped. What has been started goes on at AWS; the same command goes on with the rest.")
                raise
        done.finish()
        return done


def _journal(place: Path, chosen: Selection, reason: str, resume: bool | None, talk: Talk) -> Journal:
    slugs = [tenant.tenant for tenant in chosen.tenants]
    held = journal.unfinished(place, _OPERATION, slugs)
    if held is None:
        if resume:
            raise OperationError(
                f"there is no unfinished run for these tenants of {chosen.cell.cell}: leave out --resume to begin one."
            )
        return journal.begin(place, _OPERATION, chosen.cell, slugs, reason)
    left = sum(not entry.outcome for entry in held.entries.values())
    told = f"A run of {held.begun} by {held.by} was stopped with {left} of {len(held.entries)} tenants not begun"
    if resume is None:
        resume = talk.resume(told)
    if resume is False:
        return journal.begin(place, _OPERATION, chosen.cell, slugs, reason)
    talk.tell(f"{told}: going on. --restart begins again.")
    if reason and reason != held.reason:
        held.reason = reason
    return held
