"""A run of `up`, `preview`, `refresh` or `destroy`: choose the stacks, run them with a progress line, report.

Owns this order, and the signals that stop a run. Leaves out the decisions (`ops/stacks/`) and the report
(`stacks_report`).
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
from ops.cli.table import counted
from ops.stacks import backend, changed, choice, record, sources
from ops.stacks.choice import Choice
from ops.stacks.job import Operation
from ops.stacks.run import Plan, Progress, Result, Run
from ops.stacks.stages import stages
from tenancy.loading import FLEET

_MOST_PROCESSES = 4
"""Our choice: each process needs an engine of about 200 MiB, and OpenAI's Admin API limits the rate anyway."""


@dataclass(frozen=True)
class Options:
    """The options of the command, without those that choose the stacks."""

    operation: Operation
    fleet: Path
    workers: int
    scheduler: str | None
    max_failures: int
    wait: bool = False
    restart: bool = False
    dry: bool = False
    as_json: bool = False


def choose(options: Options, tenants: Sequence[str], cell: str | None, *, everyone: bool, since: str | None) -> Choice:
    """The stacks to work on. Raises OperationError and TenancyError before anything is changed."""
    choice.only_one(tenants, cell, everyone, since)
    if since is not None:
        chosen = changed.since(since, options.fleet)
        if cell is not None:
            (only,) = selection.cells(tenancy.load(options.fleet, only=""), cell)
            chosen = choice.within(chosen, only.cell)
        for line in stacks_report.reasons(chosen):
            output.step(line)
    elif tenants:
        chosen = choice.by_name(options.fleet, tenants)
    else:
        chosen = choice.by_cell(options.fleet, cell)
    if options.operation in ("up", "preview"):
        return chosen
    with_state = backend.stacks(backend.address())
    if options.operation == "destroy":
        choice.refuse_to_strand(chosen, with_state)
    return choice.deployed(chosen, with_state)


def go(options: Options, chosen: Choice) -> None:
    """Exits with 1 if a stack failed or was left out, with 130 after Ctrl-C; returns if all is done."""
    for stack, why in chosen.left_out.items():
        output.step(f"{stack} is left out: {why}.")
    if not chosen.stacks:
        output.result(
            stacks_report.nothing(options.operation, chosen), "There is nothing to do.", as_json=options.as_json
        )
        sys.exit(1 if chosen.left_out else 0)
    url = backend.address()
    for notice in backend.notices(url):
        output.step(f"note: {notice}")
    os.environ[FLEET] = str(options.fleet.resolve())
    code = sources.code_digest()
    prints = {stack: sources.fingerprint(stack, options.fleet, code) for stack in chosen.stacks}
    with record.opened(record.place(), options.operation, url, chosen.stacks) as kept:
        if options.restart or options.dry:
            kept.forget()
        with_state = backend.stacks(url)
        done = {stack for stack in kept.done(prints) if with_state is None or stack in with_state}
        plan = Plan(
            options.operation,
            stages(
                chosen.platforms,
                list(chosen.tenants),
                canary=options.operation in ("up", "destroy") and not chosen.by_name,
                destroys=options.operation == "destroy",
            ),
            prints,
            frozenset(done),
            options.max_failures,
            wait=options.wait,
            dry=options.dry,
        )
        result = _run(options, plan, kept)
        if result.complete:
            kept.forget()
    for line in stacks_report.problems(options.operation, chosen, result):
        output.step(line)
    facts = stacks_report.facts(options.operation, chosen, plan, result)
    output.result(
        facts, stacks_report.sentence(options.operation, plan, result, dry=options.dry), as_json=options.as_json
    )
    if result.interrupted:
        sys.exit(130)
    if not result.complete or chosen.left_out:
        sys.exit(1)


def _run(options: Options, plan: Plan, kept: record.Record) -> Result:
    # Imported late: Dask takes a second to import, and a run with nothing to do does not need it.
    from ops.stacks import pool

    workers = min(options.workers or min(_MOST_PROCESSES, os.cpu_count() or 1), max(len(plan.left), 1))
    where = options.scheduler or counted(workers, "process", "processes")
    output.step(stacks_report.beginning(options.operation, plan, where))
    with pool.opened(workers, options.scheduler) as crew, Line() as line:

        def tell(progress: Progress) -> None:
            line.say(_progress(progress))

        run = Run(plan, crew, kept, tell)
        with _stopped_by_signal(run):
            return run.go()


@contextmanager
def _stopped_by_signal(run: Run) -> Generator[None]:
    """SIGINT (Ctrl-C) and SIGTERM (a cancelled job) stop the run. A second signal changes nothing: an engine that is
    killed leaves a lock and an unknown state, and needs only seconds to finish."""

    def stop(_number: int, _frame: object) -> None:
        run.stop()
        os.write(sys.stderr.fileno(), b"\nStopping: running stacks finish first.\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress(progress: Progress) -> str:
    parts = [f"{progress.done:,} of {progress.total:,} done"]
    if progress.running:
        parts.append(f"{progress.running} running")
    if progress.waiting:
        parts.append(f"{progress.waiting} waiting for a lock")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.seconds_left:
        parts.append(f"about {spoken(progress.seconds_left)} left")
    return ", ".join(parts)
