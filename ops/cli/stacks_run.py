"""A run of the fleet's commands as a person sees it: what it is about, one calm line, and what came of it.

Owns the order of choosing, recording and running, and the signals. Leaves out the decisions (`fleet/`) and what is
written at the end (`fleet_report`).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tenancy
from ops import selection
from ops.actions.pace import spoken
from ops.cli import output, stacks_report
from ops.cli.progress import Line
from ops.stacks import backend, changed, choice, record, sources
from ops.stacks.choice import Choice
from ops.stacks.job import Operation
from ops.stacks.run import Plan, Progress, Result, Run
from ops.stacks.stages import stages
from tenancy.loading import FLEET

_MOST_PROCESSES = 4
"""Of our own choosing. Each holds an engine of some 200 MiB, and OpenAI's Admin API paces what they ask."""


@dataclass(frozen=True)
class Asked:
    """What was typed, but for which stacks."""

    operation: Operation
    fleet: Path
    workers: int
    scheduler: str | None
    max_failures: int
    wait: bool = False
    restart: bool = False
    dry: bool = False
    as_json: bool = False


def choose(asked: Asked, tenants: Sequence[str], cell: str | None, *, everyone: bool, since: str | None) -> Choice:
    """Raises OperationError and TenancyError; nothing has been changed then."""
    choice.only_one(tenants, cell, everyone, since)
    if since is not None:
        found = changed.since(since, asked.fleet)
        if cell is not None:
            (only,) = selection.cells(tenancy.load(asked.fleet, only=""), cell)
            found = choice.within(found, only.cell)
        for line in stacks_report.reasons(found):
            output.step(line)
    elif tenants:
        found = choice.by_name(asked.fleet, tenants)
    else:
        found = choice.by_cell(asked.fleet, cell)
    if asked.operation in ("up", "preview"):
        return found
    standing = backend.stacks(backend.address())
    if asked.operation == "destroy":
        choice.refuse_to_strand(found, standing)
    return choice.deployed(found, standing)


def go(asked: Asked, chosen: Choice) -> None:
    """Ends the command: 0 for all done, 1 for something that failed or was left out, 130 after Ctrl-C."""
    for stack, why in chosen.left_out.items():
        output.step(f"{stack} is left out: {why}.")
    if not chosen.stacks:
        output.result(stacks_report.nothing(asked.operation, chosen), "There is nothing to do.", as_json=asked.as_json)
        sys.exit(1 if chosen.left_out else 0)
    url = backend.address()
    for notice in backend.notices(url):
        output.step(f"note: {notice}")
    os.environ[FLEET] = str(asked.fleet.resolve())
    code = sources.code_digest()
    prints = {stack: sources.fingerprint(stack, asked.fleet, code) for stack in chosen.stacks}
    with record.opened(record.place(), asked.operation, url, chosen.stacks) as held:
        if asked.restart or asked.dry:
            held.forget()
        standing = backend.stacks(url)
        done = {stack for stack in held.done(prints) if standing is None or stack in standing}
        plan = Plan(
            asked.operation,
            stages(
                chosen.platforms,
                list(chosen.tenants),
                canary=asked.operation in ("up", "destroy") and not chosen.by_name,
                destroys=asked.operation == "destroy",
            ),
            prints,
            frozenset(done),
            asked.max_failures,
            wait=asked.wait,
            dry=asked.dry,
        )
        result = _run(asked, plan, held)
        if result.complete:
            held.forget()
    for line in stacks_report.problems(asked.operation, chosen, result):
        output.step(line)
    facts = stacks_report.facts(asked.operation, chosen, plan, result)
    output.result(facts, stacks_report.sentence(asked.operation, plan, result, dry=asked.dry), as_json=asked.as_json)
    if result.interrupted:
        sys.exit(130)
    if not result.complete or chosen.left_out:
        sys.exit(1)


def _run(asked: Asked, plan: Plan, held: record.Record) -> Result:
    # Dask takes a second to import, which a run that finds nothing to do has no use for.
    from ops.stacks import pool

    workers = min(asked.workers or min(_MOST_PROCESSES, os.cpu_count() or 1), max(len(plan.left), 1))
    whose = asked.scheduler or stacks_report.counted(workers, "process", "processes")
    output.step(stacks_report.beginning(asked.operation, plan, whose))
    with pool.opened(workers, asked.scheduler) as crew, Line() as line:

        def tell(progress: Progress) -> None:
            line.say(_spoken(progress))

        run = Run(plan, crew, held, tell)
        with _stopped_by_signal(run):
            return run.go()


@contextmanager
def _stopped_by_signal(run: Run) -> Generator[None]:
    """Ctrl-C, and what a pipeline sends to end a job. A second one changes nothing: an engine that is cut off in the
    middle costs more than the seconds it needs to end."""

    def heard(_number: int, _frame: object) -> None:
        run.stop()
        os.write(sys.stderr.fileno(), b"\nStopping: what is in flight comes to its end first.\n")

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _spoken(progress: Progress) -> str:
    parts = [f"{progress.done:,} of {progress.total:,} done"]
    if progress.running:
        parts.append(f"{progress.running} under way")
    if progress.waiting:
        parts.append(f"{progress.waiting} waiting for somebody else")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.seconds_left:
        parts.append(f"about {spoken(progress.seconds_left)} left")
    return ", ".join(parts)
