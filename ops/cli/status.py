"""`myflux-keys status`: a table with the state of each tenant's key."""

from __future__ import annotations

from typing import Annotated

import typer

import tenancy
from ops import selection
from ops.account import Account
from ops.actions.orphans import Orphan
from ops.actions.status import TenantStatus, cell_status
from ops.cli import options, output, stack_states
from ops.cli.table import age, iso, table, when


def status(
    cell: Annotated[
        str | None,
        typer.Option(help="One cell. Default: all cells.", autocompletion=options.complete_cell),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show each tenant's key: enabled, last and next rotation, age, pending. Reads no value, and asks AWS only.

    Exits with 1 when a tenant has a secret, a file or a stack without the others, and prints the command to run. `sweep
    --dry-run` also checks the keys at OpenAI.
    """
    loaded = tenancy.load(fleet)
    stacks = stack_states.stacks()
    statuses: dict[str, list[TenantStatus]] = {}
    orphans: dict[str, list[Orphan]] = {}
    for one in selection.cells(loaded, cell):
        with Account(one, "status") as account:
            statuses[one.cell], orphans[one.cell] = cell_status(account, loaded, stacks)
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
        for name, lines in statuses.items()
        for line in lines
    ]
    output.result(
        {
            "cells": {name: [_facts(line) for line in lines] for name, lines in statuses.items()},
            "orphans": {name: [orphan.as_json() for orphan in of_cell] for name, of_cell in orphans.items()},
        },
        table(("CELL", "TENANT", "SOURCE", "ENABLED", "STATE", "ROTATED", "NEXT", "KEY AGE", "PENDING"), rows),
        as_json=as_json,
    )
    problems = [orphan.sentence for of_cell in orphans.values() for orphan in of_cell]
    if problems:
        output.fail("these need a person:\n  " + "\n  ".join(problems))


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
