"""`myflux-keys status`: one table of how each tenant's key stands."""

from __future__ import annotations

from typing import Annotated

import typer

import tenancy
from cli import options, output
from cli.table import age, iso, table, when
from operations import selection
from operations.account import Account
from operations.status import TenantStatus, cell_status


def status(
    cell: Annotated[
        str | None,
        typer.Option(help="One cell; all of them if left out.", autocompletion=options.complete_cell),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show each tenant's key: enabled, last and next rotation, age, pending. Reads no value and asks AWS alone."""
    held = tenancy.load(fleet)
    found: dict[str, list[TenantStatus]] = {}
    for one in selection.cells(held, cell):
        with Account(one, "status") as account:
            found[one.cell] = cell_status(account, held)
    rows = [
        (
            name,
            line.tenant,
            line.source,
            "-" if line.enabled is None else ("yes" if line.enabled else "no"),
            line.state,
            when(line.last_rotated),
            when(line.next_rotation),
            age(line.key_age),
            line.pending or "-",
        )
        for name, lines in found.items()
        for line in lines
    ]
    output.result(
        {"cells": {name: [_facts(line) for line in lines] for name, lines in found.items()}},
        table(("CELL", "TENANT", "SOURCE", "ENABLED", "STATE", "ROTATED", "NEXT", "KEY AGE", "PENDING"), rows),
        as_json=as_json,
    )


def _facts(line: TenantStatus) -> dict[str, object]:
    return {
        "tenant": line.tenant,
        "source": line.source,
        "enabled": line.enabled,
        "readable": line.readable,
        "state": line.state,
        "last_rotated": iso(line.last_rotated),
        "next_rotation": iso(line.next_rotation),
        "key_age_seconds": int(line.key_age.total_seconds()) if line.key_age is not None else None,
        "pending_version": line.pending,
    }
