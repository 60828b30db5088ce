"""`myflux-keys sweep`: which keys are at OpenAI that should not be."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import tenancy
from ops import selection
from ops.account import Account
from ops.actions import orphans
from ops.actions.sweep import PER_MINUTE, Swept, compare
from ops.actions.sweep import sweep as sweep_cell
from ops.cli import options, output, stack_states
from ops.cli.progress import Line
from ops.cli.table import table
from ops.errors import OperationError
from tenancy import Fleet

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
    held = tenancy.load(fleet)
    standing = stack_states.stacks()
    found: list[Swept] = []
    for name, slugs in _chosen(held, tenants or [], cell).items():
        with Account(held.cells[name], "sweep") as account, Line() as line:
            sides = orphans.sides(account, held, standing, account.check())
            beside = compare(account, sides, slugs, dry_run=dry_run)
            slugs = None if slugs is None else [slug for slug in slugs if slug in beside.tenants]
            count = len(beside.tenants if slugs is None else slugs)
            if count > PER_MINUTE:
                line.say(f"{name}: {count} tenants, about {-(-count // PER_MINUTE)} minutes")

            def told(swept: Swept, count: int = count, line: Line = line) -> None:
                if not swept.done:
                    line.say(f"{swept.cell}: {swept.tenants} of {count} tenants, {len(swept.plan)} keys")

            swept = Swept(name, beside.orphans, beside.projects_failed, done=True)
            if slugs is None or slugs:
                swept = sweep_cell(account, slugs, dry_run=dry_run, governance=governance, progress=told)
                swept.orphans, swept.projects_failed = beside.orphans, beside.projects_failed
            found.append(swept)
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


def _chosen(fleet: Fleet, tenants: list[str], cell: str | None) -> dict[str, list[str] | None]:
    """By cell: the tenants asked for, or None for all. Raises OperationError."""
    if not tenants:
        return {one.cell: None for one in selection.cells(fleet, cell)}
    chosen: dict[str, list[str] | None] = {}
    for tenant in (selection.one_tenant(fleet, slug) for slug in dict.fromkeys(tenants)):
        if cell is not None and tenant.cell != cell:
            raise OperationError(
                f"{tenant.tenant} is in cell {tenant.cell}, not in {cell}: leave out --cell, or name another tenant. "
                "Nothing was changed."
            )
        chosen[tenant.cell] = [*(chosen.get(tenant.cell) or []), tenant.tenant]
    return chosen


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
