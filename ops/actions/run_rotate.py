"""Runs a rotation of many tenants' keys, cell by cell, or continues one: takes the lock, opens record and account.

Leaves out the choice of tenants (`ops/selection.py`) and the rotations (`rotate.py`).
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
    """What to rotate and how. `resume` True continues a run that was stopped, False starts again, None asks the
    operator. `wait` follows each rotation to its end, for at most `minutes`."""

    tenants: Sequence[str]
    everyone: bool
    cell: str | None
    reason: str
    resume: bool | None
    wait: bool
    minutes: float


@dataclass(frozen=True)
class Talk:
    """How the operator gets reports and questions. `resume` gets a sentence about the run that was stopped, and returns
    None where nobody can answer; `line` is open while a cell's keys are rotated."""

    report: Callable[[str], None]
    resume: Callable[[str], bool | None]
    line: Callable[[], AbstractContextManager[Callable[[Progress], None]]]


@dataclass(frozen=True)
class Rotated:
    """`runs` has a record for each cell; `left_out` maps tenants to the reason."""

    runs: list[Journal]
    left_out: dict[str, str]

    @property
    def failed(self) -> dict[str, str]:
        return {
            slug: entry.detail for run in self.runs for slug, entry in run.entries.items() if entry.outcome == "failed"
        }


def rotate(root: Path, wanted: Wanted, talk: Talk) -> Rotated:
    """Raises OperationError and TenancyError; a rotation that fails is recorded in its entry."""
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
        talk.report(f"{slug} is left out: {why}.")
    with journal.exclusive_run(chosen.cell, _OPERATION) as place:
        run = _journal(place, chosen, reason, wanted.resume, talk)
        left = [slug for slug, entry in run.entries.items() if entry.outcome != "succeeded"]
        budget = Budget()
        talk.report(
            f"{chosen.cell.cell}: {len(left)} of {len(run.entries)} tenants to rotate, at most {budget.per_minute} a "
            f"minute: takes about {spoken(budget.seconds_for(len(left)))}."
        )
        with Account(chosen.cell, _OPERATION, run.reason) as account, talk.line() as progress:
            waiting = Waiting(give_up_seconds=wanted.minutes * 60)
            try:
                done = Rotate(account, run, follow=wanted.wait, report=progress, waiting=waiting).run()
            except BaseException:
                talk.report(
                    "Stopped. AWS finishes the rotations that were started. Run the same command again for the others."
                )
                raise
        done.finish()
        return done


def _journal(place: Path, chosen: Selection, reason: str, resume: bool | None, talk: Talk) -> Journal:
    slugs = [tenant.tenant for tenant in chosen.tenants]
    unfinished = journal.unfinished(place, _OPERATION, slugs)
    if unfinished is None:
        if resume:
            raise OperationError(
                f"there is no unfinished run for these tenants of {chosen.cell.cell}: leave out --resume to start one."
            )
        return journal.begin(place, _OPERATION, chosen.cell, slugs, reason)
    left = sum(not entry.outcome for entry in unfinished.entries.values())
    stopped = (
        f"The run that {unfinished.by} started on {unfinished.begun} was stopped: {left} of {len(unfinished.entries)} "
        "tenants were not started"
    )
    if resume is None:
        resume = talk.resume(stopped)
    if resume is False:
        return journal.begin(place, _OPERATION, chosen.cell, slugs, reason)
    talk.report(f"{stopped}. It continues now; --restart starts again.")
    if reason and reason != unfinished.reason:
        unfinished.reason = reason
    return unfinished
