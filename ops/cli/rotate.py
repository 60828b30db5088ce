"""`myflux-keys rotate`: rotates keys now, for some tenants or for all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions.pace import Budget, spoken
from ops.actions.rotate import Progress, Rotate, Waiting
from ops.cli import ask, options, output
from ops.cli.progress import Line
from ops.errors import OperationError
from ops.journal import Entry, Journal
from ops.selection import Selection

OPERATION = "rotate"


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
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Rotate keys now, at the rate that OpenAI's Admin API allows.

    Readers are not interrupted: each old key stays valid for its tenant's overlap. Ctrl-C stops the command, and
    running it again continues with the tenants that are left. Customers' own keys are left out.
    """
    why = checked_reason(reason)
    selections = selection.to_rotate(
        tenancy.load(fleet), [slug.strip() for slug in tenants or []], everyone=everyone, cell=cell
    )
    for chosen in selections:
        with Account(chosen.cell, OPERATION) as account:
            account.check()
    results = [_cell(chosen, why, resume=resume, wait=wait, minutes=give_up) for chosen in selections]
    failed = {slug: entry.detail for run in results for slug, entry in run.entries.items() if entry.outcome == "failed"}
    for slug, detail in sorted(failed.items()):
        output.step(f"{slug}: {detail}")
    left_out = {slug: text for chosen in selections for slug, text in chosen.left_out.items()}
    output.result(_facts(results, left_out), sentence(results, failed, wait=wait), as_json=as_json)
    if failed:
        sys.exit(1)


def _cell(chosen: Selection, reason: str, *, resume: bool | None, wait: bool, minutes: float) -> Journal:
    for slug, why in chosen.left_out.items():
        output.step(f"{slug} is left out: {why}.")
    with journal.alone(chosen.cell, OPERATION) as place:
        run = _journal(place, chosen, reason, resume)
        left = [slug for slug, entry in run.entries.items() if entry.outcome != "succeeded"]
        budget = Budget()
        output.step(
            f"{chosen.cell.cell}: {len(left)} of {len(run.entries)} to rotate, at {budget.per_minute} a minute: about "
            f"{spoken(budget.seconds_for(len(left)))}."
        )
        with Account(chosen.cell, OPERATION, run.reason) as account, Line() as line:

            def tell(progress: Progress) -> None:
                line.say(_progress(progress, follow=wait))

            waiting = Waiting(give_up_seconds=minutes * 60)
            try:
                done = Rotate(account, run, follow=wait, tell=tell, waiting=waiting).run()
            except BaseException:
                output.step("Stopped. Started rotations continue at AWS. Run the same command again for the others.")
                raise
        done.finish()
        return done


def _journal(place: Path, chosen: Selection, reason: str, resume: bool | None) -> Journal:
    slugs = [tenant.tenant for tenant in chosen.tenants]
    held = journal.unfinished(place, OPERATION, slugs)
    if held is None:
        if resume:
            raise OperationError(
                f"there is no unfinished run for these tenants of {chosen.cell.cell}: remove --resume to start one."
            )
        return journal.begin(place, OPERATION, chosen.cell, slugs, reason)
    left = sum(not entry.outcome for entry in held.entries.values())
    told = f"A run that {held.by} started on {held.begun} was stopped with {left} of {len(held.entries)} tenants left"
    if resume is None and sys.stdin.isatty():
        resume = ask.confirmed(f"{told}. Continue it (no: start again)?", yes=False)
    if resume is False:
        return journal.begin(place, OPERATION, chosen.cell, slugs, reason)
    output.step(f"{told}: continuing. --restart starts again.")
    if reason and reason != held.reason:
        held.reason = reason
    return held


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
    # AWS tells which version is live, and not how long the key before it lives on: that is the sweep's to see.
    word = (
        "rotated: each has a new live key (when the old keys expire was not checked)"
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
    told = {"version_id": entry.version, "outcome": entry.outcome, "started_at": entry.accepted}
    return told | ({"problem": entry.detail} if entry.detail else {})
