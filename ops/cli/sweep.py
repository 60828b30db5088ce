"""`myflux-keys sweep`: finds keys at OpenAI that should not exist."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from ops.actions import run_sweep
from ops.actions.sweep import Swept
from ops.cli import options, output
from ops.cli.progress import Line
from ops.cli.table import folded

HEADINGS = ("TENANT", "KEY", "FOUND", "ACTION", "DONE", "EXPIRES", "LAST USED", "WHY")


def sweep(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Default: every tenant.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(help="One cell. Default: all cells.", autocompletion=options.complete_cell),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, and change nothing.")] = False,
    governance: Annotated[
        bool,
        typer.Option(
            "--governance",
            help="Also check whether OpenAI still allows new keys: make one as a rotation does, and revoke it at once.",
        ),
    ] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Compare OpenAI's keys with the secrets' versions, revoke orphaned keys, and report what needs a person.

    Does now what the schedule does twice an hour, for the tenants given or for all. It also compares files and stacks,
    which no function can read. Exits with 1 when something needs a person: a secret, project, file or stack without
    the others, a key that MyFlux did not make, a revoked key that still answers, an old key still in use, a late
    rotation, a reader's role that trusts somebody deleted.
    """
    if dry_run and governance:
        output.fail("--governance makes a key for a moment, and --dry-run changes nothing: give one of them.", code=2)
    talk = run_sweep.Talk(output.step, _line)
    results = run_sweep.sweep_cells(fleet, tenants or [], cell, dry_run=dry_run, governance=governance, talk=talk)
    rows = [row for swept in results for row in map(_row, swept.plan)]
    output.result(
        {"dry_run": dry_run, "cells": [_facts(swept) for swept in results]},
        folded(HEADINGS, rows, HEADINGS.index("EXPIRES")) if rows else nothing(results),
        as_json=as_json,
    )
    problems = [sentence for swept in results for sentence in swept.for_a_person]
    problems += [f"{swept.cell}: not finished, OpenAI is busy. Run it again." for swept in results if not swept.done]
    if problems:
        output.fail("these need a person (docs/runbook.md):\n  " + "\n  ".join(problems))


def nothing(results: list[Swept]) -> str:
    checked_all = all(swept.done and not swept.failed for swept in results)
    return "No keys." if checked_all else "No keys of the tenants that could be checked."


def _facts(swept: Swept) -> dict[str, Any]:
    orphans_json = [orphan.as_json() for orphan in swept.orphans]
    trust_json = [dead.shown() for dead in swept.trust]
    return vars(swept) | {"orphans": orphans_json, "trust": trust_json, "for_a_person": swept.for_a_person}


@contextmanager
def _line() -> Generator[Callable[[str], None]]:
    with Line() as line:
        yield line.say


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    def minutes(time: str | None) -> str:
        return f"{time[:10]} {time[11:16]}Z" if time else "-"

    return (
        entry["tenant"],
        entry["key_id"],
        entry["found"],
        entry["action"],
        entry.get("outcome") or "-",
        minutes(entry["expires_at"]),
        minutes(entry["last_used_at"]),
        entry["reason"],
    )
