"""`myflux-keys rotate`: rotates keys now, for some tenants or for all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.actions import run_rotate
from ops.actions.pace import spoken
from ops.actions.rotate import Progress
from ops.cli import ask, options, output
from ops.cli.progress import Line

if TYPE_CHECKING:
    from ops.journal import Entry, Journal


def rotate(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Tenants whose keys to rotate.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Every tenant of every cell.")] = False,
    cell: Annotated[
        str | None,
        typer.Option(help="Every tenant of one cell.", autocompletion=options.complete_cell, show_default=False),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until each rotation ends; exit with 1 if one fails.")
    ] = False,
    reason: Annotated[
        str, typer.Option(help="The reason, which CloudTrail and `history` show.", show_default=False)
    ] = "",
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--restart",
            help="Continue a run that was stopped, or start again. Default: a terminal asks; otherwise it continues.",
            show_default=False,
        ),
    ] = None,
    give_up: Annotated[
        float, typer.Option("--timeout", help="Minutes after which a rotation that has not ended counts as failed.")
    ] = 30,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Rotate keys now, at the rate that OpenAI's Admin API allows: 6 a minute for an organization.

    In the order given; with --all and --cell, tenants whose secrets were read last come first, by AWS's day.
    Readers are not interrupted: each old key stays valid for its tenant's overlap. A rotation inside the overlap of the
    one before leaves the older key one hour: the command says so first, and asks. Ctrl-C stops the command, and running
    it again continues with the tenants that are left. Customers' own keys are left out.
    """
    wanted = run_rotate.Wanted(tenants or [], everyone, cell, reason, resume, wait, give_up, dry_run)
    confirmed = partial(ask.confirmed, yes=yes)
    talk = run_rotate.Talk(output.step, _ask_to_resume, confirmed, partial(_line, follow=wait))
    if dry_run:
        _planned(run_rotate.plan(fleet, wanted, talk), as_json=as_json)
        return
    done = run_rotate.rotate(fleet, wanted, talk)
    for slug, detail in sorted(done.failed.items()):
        output.step(f"{slug}: {detail}")
    output.result(_facts(done.runs, done.left_out), sentence(done.runs, done.failed, wait=wait), as_json=as_json)
    if done.failed:
        sys.exit(1)


def _planned(found: run_rotate.Planned, *, as_json: bool) -> None:
    plan = [f"rotate {slug} of cell {cell}" for cell, slugs in found.order.items() for slug in slugs]
    lines = ["Would:\n" + output.numbered(plan) if plan else "Would rotate no key.", *found.cut]
    lines += [f"{slug} is left out: {why}." for slug, why in found.left_out.items()]
    facts = {"dry_run": True, "plan": plan, "order": found.order, "cut_short": found.cut, "left_out": found.left_out}
    output.result(facts, "\n".join(lines), as_json=as_json)


def _ask_to_resume(stopped: str) -> bool | None:
    if not ask.can_answer():
        return None
    return ask.confirmed(f"{stopped}. Continue it (no: start again)?", yes=False)


@contextmanager
def _line(*, follow: bool) -> Generator[Callable[[Progress], None]]:
    with Line() as line:
        yield lambda progress: line.say(_progress(progress, follow=follow))


def _progress(progress: Progress, *, follow: bool) -> str:
    begun = progress.started + progress.succeeded
    parts = [f"{progress.succeeded} of {progress.total} done"] if follow else [f"{begun} of {progress.total} started"]
    if follow and progress.started:
        parts.append(f"{progress.started} running")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.seconds_left:
        parts.append(f"about {spoken(progress.seconds_left)} left")
    return ", ".join(parts)


def sentence(results: list[Journal], failed: dict[str, str], *, wait: bool) -> str:
    outcomes = [entry.outcome for run in results for entry in run.entries.values()]
    good = sum(outcome in ("started", "succeeded") for outcome in outcomes)
    # AWS shows which version is live, but not when the old key expires: only the sweep reads that from OpenAI.
    word = (
        "rotated: each has a new live key. Not checked: when the old keys expire, which `myflux-keys sweep --dry-run` "
        "shows"
        if wait
        else "started; `myflux-keys status` shows their results"
    )
    return f"{good} of {len(outcomes)} {word}." + (
        f" {len(failed)} failed; what to do is printed above." if failed else ""
    )


def _facts(results: list[Journal], left_out: dict[str, str]) -> dict[str, Any]:
    return {
        "cells": {
            run.cell: {
                "reason": run.reason,
                "tenants": {slug: _entry(entry) for slug, entry in run.entries.items()},
            }
            for run in results
        },
        "left_out": left_out,
    }


def _entry(entry: Entry) -> dict[str, str]:
    fields = {"version_id": entry.version, "outcome": entry.outcome, "started_at": entry.accepted}
    return fields | ({"problem": entry.detail} if entry.detail else {})
