"""Runs one operation on many stacks: chooses them, opens the record, runs the stages, and stops on a signal.

Leaves out each of these parts (`ops/stacks/`).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import tenancy
from ops import selection
from ops.stacks import backend, changed, choice, processes, record, sources, states, unchanged
from ops.stacks.choice import Choice
from ops.stacks.job import Done, Operation
from ops.stacks.run import WAIT_SECONDS, Plan, Progress, Result, Run, Workers
from ops.stacks.stages import Stage, stages, why_to_stop

WAIT_MINUTES = int(WAIT_SECONDS / 60)
_MOST_PROCESSES = 4
"""Our own limit: each runs an engine of about 200 MiB, and OpenAI's Admin API limits their calls."""


@dataclass(frozen=True)
class Wanted:
    """The operation and its options, without the stacks. `fleet` holds tenants/ and cells/; `workers` are processes on
    this machine, and 0 means one for each core, at most 4. `refresh`: see `Job`. `marks`: an `up` passes over a
    tenant's stack whose mark shows that nothing would change."""

    operation: Operation
    fleet: Path
    workers: int
    scheduler: str | None
    max_failures: int
    wait: bool = False
    wait_minutes: int = WAIT_MINUTES
    restart: bool = False
    dry: bool = False
    refresh: bool = False
    marks: bool = True


@dataclass(frozen=True)
class Talk:
    """How the operator gets reports. `begins` gets the plan and the number of processes; `line` is open while stacks
    run; `stopping` is called by a signal's handler."""

    report: Callable[[str], None]
    begins: Callable[[Plan, int], None]
    line: Callable[[], AbstractContextManager[Callable[[Progress], None]]]
    stopping: Callable[[], None]


def choose(
    wanted: Wanted,
    tenants: Sequence[str],
    cell: str | None,
    *,
    everyone: bool,
    since: str | None,
    reasons: Callable[[Choice], None],
) -> Choice:
    """`reasons` reports why each stack is among those that changed since a commit.

    Raises OperationError and TenancyError; nothing was changed then.
    """
    choice.only_one(tenants, cell, everyone, since)
    if since is not None:
        found = changed.since(since, wanted.fleet)
        if cell is not None:
            (only,) = selection.cells(tenancy.load(wanted.fleet, only=""), cell)
            found = choice.within(found, only.cell)
        reasons(found)
    elif tenants:
        found = choice.by_name(wanted.fleet, tenants)
    else:
        found = choice.by_cell(wanted.fleet, cell)
    kept = states.of(wanted.fleet, found.stacks)
    if wanted.operation in ("up", "preview"):
        return choice.on_platforms(found, kept.has)
    if wanted.operation == "destroy":
        choice.refuse_to_strand(found, kept.names)
    return choice.deployed(found, kept.names)


def recovery_days(root: Path, chosen: Choice) -> list[int]:
    """How long AWS keeps the secrets of the cells that have one of the stacks, in days, without repetition."""
    cells = set(map(selection.cell_of, chosen.stacks))
    return sorted(
        {cell.recovery_window_days for slug, cell in tenancy.load(root, only="").cells.items() if slug in cells}
    )


def run(wanted: Wanted, chosen: Choice, talk: Talk) -> tuple[Plan, Result]:
    """Leaves out the stacks that an earlier run has finished. Raises OperationError for the run; an error of one stack
    is that stack's outcome."""
    kept = states.of(wanted.fleet, chosen.stacks)
    for url in kept.places:
        for notice in backend.notices(url):
            talk.report(f"note: {notice}")
    code = sources.code_digest()
    prints = {stack: sources.fingerprint(stack, wanted.fleet, code) for stack in chosen.stacks}
    # A stack that a plain `up` has finished is not done for one with `refresh`.
    kind = f"{wanted.operation}-refresh" if wanted.refresh else wanted.operation
    with record.opened(record.place(), kind, "\n".join(kept.places), chosen.stacks) as past:
        if wanted.restart or wanted.dry:
            past.forget()
        done = {stack for stack in past.done(prints) if kept.names is None or stack in kept.names}
        base = Plan(
            wanted.operation,
            (),
            prints,
            frozenset(done),
            wanted.max_failures,
            wait=wanted.wait,
            wait_seconds=wanted.wait_minutes * 60.0,
            dry=wanted.dry,
            refresh=wanted.refresh,
        )
        plan, result = _in_parts(wanted, chosen, base, past, talk)
        if result.complete:
            past.forget()
    return plan, result


def _in_parts(wanted: Wanted, chosen: Choice, base: Plan, past: record.Record, talk: Talk) -> tuple[Plan, Result]:
    """Platforms before anybody looks at a tenant's mark, which is about what the platform exports. `base` is the plan
    without its stages; those of the plan that is returned are without the stacks whose marks held."""
    marks = wanted.marks and wanted.operation == "up"
    plan, result = base, Result()
    if marks and chosen.platforms:
        plan = replace(base, stages=_stages(wanted, chosen, chosen.platforms, ()))
        result = _run(wanted, plan, past, talk) if plan.left else result
        if result.failed or result.interrupted:
            left = [stack for stack in chosen.tenants if stack not in base.done]
            stopped = result.stopped or why_to_stop(plan.stages[0], result.failed, len(result.failed), plan.most) or ""
            whole = replace(base, stages=_stages(wanted, chosen, chosen.platforms, list(chosen.tenants)))
            return whole, replace(result, not_begun=[*result.not_begun, *left], stopped=stopped if left else "")
    left = {stack: slug for stack, slug in chosen.tenants.items() if stack not in base.done}
    same = unchanged.find(wanted.fleet, left) if marks and left else set[str]()
    tenants = [stack for stack in chosen.tenants if stack not in same]
    rest = replace(base, stages=_stages(wanted, chosen, () if marks else chosen.platforms, tenants))
    ended = _run(wanted, rest, past, talk) if rest.left or not (same or plan.stages) else Result()
    outcomes = result.outcomes | {stack: Done(stack, by_mark=True) for stack in same} | ended.outcomes
    return replace(rest, stages=(*plan.stages, *rest.stages)), replace(ended, outcomes=outcomes)


def _stages(wanted: Wanted, chosen: Choice, platforms: Sequence[str], tenants: Sequence[str]) -> tuple[Stage, ...]:
    return stages(
        platforms,
        tenants,
        canary=wanted.operation in ("up", "destroy") and not chosen.by_name,
        destroys=wanted.operation == "destroy",
    )


def _run(wanted: Wanted, plan: Plan, past: record.Record, talk: Talk) -> Result:
    number = min(wanted.workers or min(_MOST_PROCESSES, os.cpu_count() or 1), max(len(plan.left), 1))
    talk.begins(plan, number)
    with _workers(wanted, number) as workers, talk.line() as progress:
        running = Run(plan, workers, past, progress)
        with _stopped_by_signal(running, talk.stopping):
            return running.go()


def _workers(wanted: Wanted, number: int) -> AbstractContextManager[Workers]:
    if wanted.scheduler is None:
        return processes.opened(number, wanted.fleet.resolve())
    # Dask takes a second to import.
    from ops.stacks import cluster

    return cluster.opened(wanted.scheduler)


@contextmanager
def _stopped_by_signal(running: Run, stopping: Callable[[], None]) -> Generator[None]:
    """Stops the run on Ctrl-C, or on the signal with which a pipeline ends a job. A second signal changes nothing: an
    engine that is killed leaves a lock and pending operations."""

    def on_signal(_number: int, _frame: object) -> None:
        running.stop()
        stopping()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
