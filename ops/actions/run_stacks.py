"""One operation on many stacks, from what was asked for to what came of it.

Owns the order of choosing, recording and running, and what a signal means. Leaves out each of these (`ops/stacks/`).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import tenancy
from ops import selection
from ops.stacks import backend, changed, choice, record, sources
from ops.stacks.choice import Choice
from ops.stacks.job import Operation
from ops.stacks.run import Plan, Progress, Result, Run
from ops.stacks.stages import stages

_MOST_PROCESSES = 4
"""Of our own choosing. Each holds an engine of some 200 MiB, and OpenAI's Admin API paces what they ask."""


@dataclass(frozen=True)
class Wanted:
    """All that was asked for, except which stacks. `fleet` holds tenants/ and cells/; `workers` are processes on this
    machine, and 0 is one a core, 4 at most."""

    operation: Operation
    fleet: Path
    workers: int
    scheduler: str | None
    max_failures: int
    wait: bool = False
    restart: bool = False
    dry: bool = False


@dataclass(frozen=True)
class Talk:
    """How a person is told. `begins` gets the plan and the number of processes; `line` is open while stacks are worked
    on; `stopping` is called by a signal's handler."""

    tell: Callable[[str], None]
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
    """`reasons` tells why each stack is among those that changed since a commit.

    Raises OperationError and TenancyError; nothing has been changed then.
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
    if wanted.operation in ("up", "preview"):
        return found
    standing = backend.stacks(backend.address())
    if wanted.operation == "destroy":
        choice.refuse_to_strand(found, standing)
    return choice.deployed(found, standing)


def run(wanted: Wanted, chosen: Choice, talk: Talk) -> tuple[Plan, Result]:
    """The stacks that an earlier run has finished are left out. Raises OperationError; what becomes of one stack is its
    own outcome."""
    url = backend.address()
    for notice in backend.notices(url):
        talk.tell(f"note: {notice}")
    code = sources.code_digest()
    prints = {stack: sources.fingerprint(stack, wanted.fleet, code) for stack in chosen.stacks}
    with record.opened(record.place(), wanted.operation, url, chosen.stacks) as held:
        if wanted.restart or wanted.dry:
            held.forget()
        standing = backend.stacks(url)
        done = {stack for stack in held.done(prints) if standing is None or stack in standing}
        plan = Plan(
            wanted.operation,
            stages(
                chosen.platforms,
                list(chosen.tenants),
                canary=wanted.operation in ("up", "destroy") and not chosen.by_name,
                destroys=wanted.operation == "destroy",
            ),
            prints,
            frozenset(done),
            wanted.max_failures,
            wait=wanted.wait,
            dry=wanted.dry,
        )
        result = _run(wanted, plan, held, talk)
        if result.complete:
            held.forget()
    return plan, result


def _run(wanted: Wanted, plan: Plan, held: record.Record, talk: Talk) -> Result:
    # Dask takes a second to import, which a run that finds nothing to do has no use for.
    from ops.stacks import pool

    workers = min(wanted.workers or min(_MOST_PROCESSES, os.cpu_count() or 1), max(len(plan.left), 1))
    talk.begins(plan, workers)
    with pool.opened(workers, wanted.scheduler, wanted.fleet.resolve()) as crew, talk.line() as progress:
        running = Run(plan, crew, held, progress)
        with _stopped_by_signal(running, talk.stopping):
            return running.go()


@contextmanager
def _stopped_by_signal(running: Run, stopping: Callable[[], None]) -> Generator[None]:
    """Ctrl-C, and what a pipeline sends to end a job. A second one changes nothing: an engine that is cut off in the
    middle costs more than the seconds it needs to end."""

    def heard(_number: int, _frame: object) -> None:
        running.stop()
        stopping()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
