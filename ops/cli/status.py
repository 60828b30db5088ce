"""`myflux-keys status`: a table with the state of each tenant's key."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.actions import read_reports
from ops.actions.status import TenantStatus
from ops.cli import options, output
from ops.cli.table import age, iso, table, when


def status(
    cell: Annotated[
        str | None,
        typer.Option(help="One cell. Default: all cells.", autocompletion=options.complete_cell),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show each tenant's key: enabled, last and next rotation, age, pending. Reads no value, and does not call OpenAI.

    Exits with 1 when a tenant has a secret, a file or a stack without the others, or a role that reads keys trusts a
    user or role that was deleted, and prints the command to run. `sweep --dry-run` also checks the keys at OpenAI.
    """
    found = read_reports.statuses(fleet, cell, report=output.step)
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
        for name, lines in found.tenants.items()
        for line in lines
    ]
    output.result(
        {
            "cells": {name: [_facts(line) for line in lines] for name, lines in found.tenants.items()},
            "orphans": {name: [orphan.as_json() for orphan in orphans] for name, orphans in found.orphans.items()},
            "trust": {name: [dead.shown() for dead in trust] for name, trust in found.trust.items()},
        },
        table(("CELL", "TENANT", "SOURCE", "ENABLED", "STATE", "ROTATED", "NEXT", "KEY AGE", "PENDING"), rows),
        as_json=as_json,
    )
    if found.for_a_person:
        output.fail("these need a person:\n  " + "\n  ".join(found.for_a_person))


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
