"""`myflux-keys sweep`: finds keys at OpenAI that should not exist."""

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
    rotation.
    """
    if dry_run and governance:
        output.fail("--governance makes a key, and --dry-run changes nothing: use only one of them.", code=2)
    loaded = tenancy.load(fleet)
    stacks = stack_states.stacks()
    results: list[Swept] = []
    for name, slugs in _chosen(loaded, tenants or [], cell).items():
        with Account(loaded.cells[name], "sweep") as account, Line() as line:
            sides = orphans.sides(account, loaded, stacks, account.check())
            compared = compare(account, sides, slugs, dry_run=dry_run)
            slugs = None if slugs is None else [slug for slug in slugs if slug in compared.tenants]
            count = len(compared.tenants if slugs is None else slugs)
            if count > PER_MINUTE:
                line.say(f"{name}: {count} tenants, about {-(-count // PER_MINUTE)} minutes")

            def progress(swept: Swept, count: int = count, line: Line = line) -> None:
                if not swept.done:
                    line.say(f"{swept.cell}: {swept.tenants} of {count} tenants, {len(swept.plan)} keys")

            swept = Swept(name, compared.orphans, compared.projects_failed, done=True)
            if slugs is None or slugs:
                swept = sweep_cell(account, slugs, dry_run=dry_run, governance=governance, progress=progress)
                swept.orphans, swept.projects_failed = compared.orphans, compared.projects_failed
            results.append(swept)
    rows = [row for swept in results for row in map(_row, swept.plan)]
    output.result(
        {"dry_run": dry_run, "cells": [_facts(swept) for swept in results]},
        table(HEADINGS, rows) if rows else nothing(results),
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
    return vars(swept) | {"orphans": orphans_json, "for_a_person": swept.for_a_person}


def _chosen(fleet: Fleet, tenants: list[str], cell: str | None) -> dict[str, list[str] | None]:
    """By cell: the slugs of the tenants to sweep, or None for all. Raises OperationError."""
    if not tenants:
        return {one.cell: None for one in selection.cells(fleet, cell)}
    chosen: dict[str, list[str] | None] = {}
    for tenant in (selection.one_tenant(fleet, slug) for slug in dict.fromkeys(tenants)):
        if cell is not None and tenant.cell != cell:
            raise OperationError(
                f"{tenant.tenant} is in cell {tenant.cell}, not in {cell}: remove --cell, or give another tenant. "
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
