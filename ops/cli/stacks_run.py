"""Prints a run over many stacks: its plan, one progress line, and its result.

Leaves out the run (`ops/actions/run_stacks.py`) and the sentences (`stacks_report`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from ops.actions import run_stacks
from ops.actions.pace import spoken
from ops.actions.run_stacks import Talk, Wanted
from ops.cli import output, stacks_report
from ops.cli.progress import Line
from ops.stacks.choice import Choice
from ops.stacks.run import Plan, Progress


def choose(wanted: Wanted, tenants: Sequence[str], cell: str | None, *, everyone: bool, since: str | None) -> Choice:
    def reasons(found: Choice) -> None:
        for line in stacks_report.reasons(found):
            output.step(line)

    return run_stacks.choose(wanted, tenants, cell, everyone=everyone, since=since, reasons=reasons)


def go(wanted: Wanted, chosen: Choice, *, as_json: bool, diff: bool = False) -> None:
    """Runs the operation and exits: with 1 where a stack failed or was left out, with 130 after Ctrl-C."""
    for stack, why in chosen.left_out.items():
        output.step(f"{stack} is left out: {why}.")
    if not chosen.stacks:
        sentence = "Nothing was changed." if chosen.left_out else "There is nothing to do."
        output.result(stacks_report.nothing(wanted.operation, chosen), sentence, as_json=as_json)
        sys.exit(1 if chosen.left_out else 0)

    def begins(plan: Plan, processes: int) -> None:
        workers = wanted.scheduler or stacks_report.counted(processes, "process", "processes")
        output.step(stacks_report.beginning(wanted.operation, plan, workers))

    plan, result = run_stacks.run(wanted, chosen, Talk(output.step, begins, _line, _stopping))
    for line in stacks_report.problems(wanted.operation, chosen, result, refresh=wanted.refresh):
        output.step(line)
    facts = stacks_report.facts(wanted.operation, chosen, plan, result)
    sentence = stacks_report.sentence(wanted.operation, plan, result, dry=wanted.dry, diff=diff)
    output.result(facts, sentence, as_json=as_json)
    if result.interrupted:
        sys.exit(130)
    if not result.complete or chosen.left_out:
        sys.exit(1)


@contextmanager
def _line() -> Generator[Callable[[Progress], None]]:
    with Line() as line:
        yield lambda progress: line.say(_progress(progress))


def _stopping() -> None:
    """Called in a signal's handler, which must not write to a buffered stream."""
    os.write(sys.stderr.fileno(), b"\nStopping: stacks that are running finish first.\n")


def _progress(progress: Progress) -> str:
    parts = [f"{progress.done:,} of {progress.total:,} done"]
    if progress.running:
        parts.append(f"{progress.running} running")
    if progress.waiting:
        held = f" ({stacks_report.named(progress.holders)})" if progress.holders else ""
        parts.append(f"{progress.waiting} waiting for a lock{held}")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.seconds_left:
        parts.append(f"about {spoken(progress.seconds_left)} left")
    return ", ".join(parts)
