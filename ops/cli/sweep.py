"""`myflux-keys sweep`: which keys are at OpenAI that should not be."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from ops.actions import sweeping
from ops.actions.sweep import Swept
from ops.cli import options, output
from ops.cli.progress import Line
from ops.cli.table import table

HEADINGS = ("TENANT", "KEY", "FOUND", "ACTION", "DONE", "EXPIRES", "LAST USED", "WHY")


def sweep(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Left out: every tenant.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(help="One cell; all of them if left out.", autocompletion=options.complete_cell),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")] = False,
    governance: Annotated[
        bool,
        typer.Option(
            "--governance",
            help="Also ask OpenAI whether it still grants keys such as ours: one is made, and ended at once.",
        ),
    ] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Compare OpenAI's keys with the secrets' versions, end what nobody should hold, and say what needs a person.

    The same as the schedule does twice an hour, for the tenants named or for all, at once; and files and stacks beside
    it, which no function sees. Exits with 1 when something needs a person: a secret, a project, a file or a stack
    without the others, a key that we did not make, one that should be dead and answers, an old key still in use, a
    late rotation.
    """
    if dry_run and governance:
        output.fail("--governance makes a key for a moment, and --dry-run changes nothing: give one of them.", code=2)
    talk = sweeping.Talk(output.step, _line)
    found = sweeping.sweep_cells(fleet, tenants or [], cell, dry_run=dry_run, governance=governance, talk=talk)
    rows = [row for swept in found for row in map(_row, swept.plan)]
    output.result(
        {"dry_run": dry_run, "cells": [_facts(swept) for swept in found]},
        table(HEADINGS, rows) if rows else nothing(found),
        as_json=as_json,
    )
    said = [sentence for swept in found for sentence in swept.for_a_person]
    said += [f"{swept.cell}: not finished, OpenAI is busy. Run it again." for swept in found if not swept.done]
    if said:
        output.fail("this needs a person (docs/runbook.md):\n  " + "\n  ".join(said))


def nothing(found: list[Swept]) -> str:
    looked = all(swept.done and not swept.failed for swept in found)
    return "No keys." if looked else "No keys of the tenants that could be looked at."


def _facts(swept: Swept) -> dict[str, Any]:
    shown = [orphan.shown() for orphan in swept.orphans]
    return vars(swept) | {"orphans": shown, "for_a_person": swept.for_a_person}


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
