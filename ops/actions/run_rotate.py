"""Runs a rotation of many tenants' keys, cell by cell, or continues one: takes the lock, opens record and account.

Leaves out the choice of tenants (`ops/selection.py`) and the rotations (`rotate.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions import cut_short, rotation_order
from ops.actions.pace import Budget, slowest, told
from ops.actions.rotate import Progress, Rotate, Waiting
from ops.errors import Declined, OperationError
from ops.journal import Journal
from ops.rotation_state import SecretFacts, tenant_secrets
from ops.selection import Selection

_OPERATION: Final = "rotate"
_SHOWN: Final = 10
"""Tenants named one by one before the question; the others are counted."""


@dataclass(frozen=True)
class Wanted:
    """What to rotate and how. `resume` True continues a run that was stopped, False starts again, None asks the
    operator. `wait` follows each rotation to its end, for at most `minutes`. `dry` is of `plan` alone."""

    tenants: Sequence[str]
    everyone: bool
    cell: str | None
    reason: str
    resume: bool | None
    wait: bool
    minutes: float
    dry: bool = False


@dataclass(frozen=True)
class Talk:
    """How the operator gets reports and questions. `resume` gets a sentence about the run that was stopped, and returns
    None where nobody can answer; `confirmed` asks whether keys may be cut short; `line` is open while a cell's keys are
    rotated."""

    report: Callable[[str], None]
    resume: Callable[[str], bool | None]
    confirmed: Callable[[str], bool]
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


@dataclass(frozen=True)
class Planned:
    """`order` has by cell the tenants that would be rotated, the first one first; `cut` a sentence for each whose older
    keys would end sooner; `left_out` maps tenants to the reason."""

    order: dict[str, list[str]]
    cut: list[str]
    left_out: dict[str, str]


@dataclass(frozen=True)
class _Run:
    """One cell's part. `stopped` is the run that it continues, None to begin one. `order` has every tenant. `cut` has a
    sentence for each tenant whose older keys it cuts short."""

    chosen: Selection
    place: Path
    stopped: Journal | None
    order: list[str]
    cut: list[str]


def rotate(root: Path, wanted: Wanted, talk: Talk) -> Rotated:
    """Raises OperationError, Declined and TenancyError; a rotation that fails is recorded in its entry."""
    why = checked_reason(wanted.reason)
    selections = _selected(root, wanted)
    with ExitStack() as locks:
        # Every cell is asked about before the first rotation begins.
        prepared = [
            _prepared(chosen, wanted, talk, locks.enter_context(journal.exclusive_run(chosen.cell, _OPERATION)))
            for chosen in selections
        ]
        for run in prepared:
            talk.report(_told(run))
        _ask([sentence for run in prepared for sentence in run.cut], talk)
        runs = [_cell(run, why, wanted, talk) for run in prepared]
    return Rotated(runs, _left_out(selections))


def plan(root: Path, wanted: Wanted, talk: Talk) -> Planned:
    """What `rotate` would do, which is refused as it refuses. Changes nothing, and asks nothing. Raises what it
    raises."""
    checked_reason(wanted.reason)
    selections = _selected(root, wanted)
    order: dict[str, list[str]] = {}
    cut: list[str] = []
    for chosen in selections:
        journal.refuse_second_run(chosen.cell, _OPERATION)
        run = _prepared(chosen, wanted, talk, journal.folder(chosen.cell))
        talk.report(_told(run))
        order[chosen.cell.cell] = [slug for slug in run.order if slug not in _begun(run.stopped)]
        cut += run.cut
    return Planned(order, cut, _left_out(selections))


def _selected(root: Path, wanted: Wanted) -> list[Selection]:
    slugs = [slug.strip() for slug in wanted.tenants]
    fleet = selection.files_of(root, slugs) if slugs else tenancy.load(root)
    return selection.to_rotate(fleet, slugs, everyone=wanted.everyone, cell=wanted.cell)


def _left_out(selections: Sequence[Selection]) -> dict[str, str]:
    return {slug: text for chosen in selections for slug, text in chosen.left_out.items()}


def _begun(stopped: Journal | None) -> set[str]:
    """Tenants that a run which is continued does not rotate again."""
    entries = stopped.entries if stopped else {}
    return {slug for slug, entry in entries.items() if entry.outcome in ("started", "succeeded")}


def _prepared(chosen: Selection, wanted: Wanted, talk: Talk, place: Path) -> _Run:
    with Account(chosen.cell, _OPERATION) as account:
        account.check()
        stopped = _stopped(place, chosen, wanted, talk)
        slugs = {tenant.tenant for tenant in chosen.tenants} - _begun(stopped)
        names = chosen.cell.names
        # A few tenants that are named are not worth a list of all.
        listed = None if wanted.tenants else dict(tenant_secrets(account.secrets, names))
        cut = list(cut_short.by_tenant(account.secrets, names, slugs, listed))
        return _Run(chosen, place, stopped, _order(chosen, wanted, listed or {}), cut)


def _order(chosen: Selection, wanted: Wanted, listed: Mapping[str, SecretFacts]) -> list[str]:
    slugs = [tenant.tenant for tenant in chosen.tenants]
    if wanted.tenants:
        return rotation_order.as_given([slug.strip() for slug in wanted.tenants], slugs)
    return rotation_order.last_read_first(slugs, listed)


def _told(run: _Run) -> str:
    entries = run.stopped.entries if run.stopped else {}
    left = [slug for slug in run.order if slug not in entries or entries[slug].outcome != "succeeded"]
    organizations = _organizations(run.chosen)
    seconds = slowest([organizations.get(slug, "") for slug in left], Budget())
    return f"{run.chosen.cell.cell}: {told(len(left), len(run.order), seconds, Budget())}"


def _organizations(chosen: Selection) -> dict[str, str]:
    """Of the tenants whose keys are minted in a customer's OpenAI organization."""
    return {tenant.tenant: tenant.organization_id for tenant in chosen.tenants if tenant.organization_id}


def _ask(cut: list[str], talk: Talk) -> None:
    if not cut:
        return
    for sentence in cut[:_SHOWN]:
        talk.report(sentence)
    if len(cut) > _SHOWN:
        talk.report(f"The same holds for {len(cut) - _SHOWN} more tenants.")
    if not talk.confirmed(f"Rotate again, inside the overlap of {len(cut)} tenant{'s' if len(cut) > 1 else ''}?"):
        raise Declined


def _cell(prepared: _Run, reason: str, wanted: Wanted, talk: Talk) -> Journal:
    chosen = prepared.chosen
    for slug, why in chosen.left_out.items():
        talk.report(f"{slug} is left out: {why}.")
    run = prepared.stopped
    if run is None:
        run = journal.begin(prepared.place, _OPERATION, chosen.cell, prepared.order, reason)
    elif reason:
        run.reason = reason
    run.entries = {slug: run.entries[slug] for slug in prepared.order}
    with Account(chosen.cell, _OPERATION, run.reason) as account, talk.line() as progress:
        waiting = Waiting(give_up_seconds=wanted.minutes * 60)
        try:
            rotation = Rotate(
                account,
                run,
                follow=wanted.wait,
                report=progress,
                waiting=waiting,
                organizations=_organizations(chosen),
            )
            done = rotation.run()
        except BaseException:
            talk.report(
                "Stopped. AWS finishes the rotations that were started. Run the same command again for the others."
            )
            raise
    done.finish()
    return done


def _stopped(place: Path, chosen: Selection, wanted: Wanted, talk: Talk) -> Journal | None:
    """The run to continue; None to begin one."""
    resume = wanted.resume
    slugs = [tenant.tenant for tenant in chosen.tenants]
    unfinished = journal.unfinished(place, _OPERATION, slugs)
    if unfinished is None:
        if resume:
            raise OperationError(
                f"there is no unfinished run for these tenants of {chosen.cell.cell}: leave out --resume to start one."
            )
        return None
    left = sum(not entry.outcome for entry in unfinished.entries.values())
    stopped = (
        f"The run that {unfinished.by} started on {unfinished.begun} was stopped: {left} of {len(unfinished.entries)} "
        "tenants were not started"
    )
    if resume is None and not wanted.dry:
        resume = talk.resume(stopped)
    if resume is False:
        return None
    talk.report(f"{stopped}. It {'would continue' if wanted.dry else 'continues now'}; --restart starts again.")
    return unfinished
