"""`myflux-keys status`: what needs a person, and the state of each tenant's key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ops.actions import read_reports
from ops.actions.fleet_view import NEEDS_A_PERSON
from ops.actions.orphans import KINDS
from ops.actions.status import TenantStatus
from ops.cli import fleet_rows, options, output
from ops.cli.progress import Later
from ops.cli.table import iso
from ops.page import file
from ops.page.page import page

NOT_KNOWN = 3
"""The exit code where nothing that was seen is wrong, and something was not seen."""


def status(
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
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page for a browser too. It needs no network; it names customers and what they spend.",
            show_default=False,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show what needs a person, since when and what to type; then each tenant in a line.

    Compares files, stacks and secrets now, and adds what the cell's health function found at its last look: keys that
    OpenAI refuses, models, limits and money. Below the tenants are keys that nobody handed over to a consumer such as
    CINNOX yet, and the links of `connect` that are open. Reads no key, and does not call OpenAI; `verify TENANT` looks
    now.

    Exit codes: 0 all is well; 1 something needs a person; 3 nothing that was seen is wrong, but not everything was
    seen, as when the health function has not looked yet.
    """
    if html:
        file.check(html)
    with Later() as progress:
        found = read_reports.statuses(fleet, tenants or [], cell, report=output.step, progress=progress.say)
    view = found.view
    output.result(
        {
            "cells": {name: [_facts(line) for line in lines] for name, lines in found.tenants.items()},
            "orphans": {name: [orphan.as_json() for orphan in orphans] for name, orphans in found.orphans.items()},
            "trust": {name: [dead.shown() for dead in trust] for name, trust in found.trust.items()},
            "severity": view.severity,
            "fleet": fleet_rows.as_json(view),
        },
        fleet_rows.text(view),
        as_json=as_json,
    )
    if html:
        # Last: a full disk must not keep back what was read.
        file.write(html, page(view))
        output.step(f"{html}: written. Open it in a browser.")
    if view.severity in NEEDS_A_PERSON:
        told = [*found.for_a_person, *fleet_rows.sentences(view, (*KINDS, "trusted_principal_gone"))] if as_json else []
        output.fail("\n  ".join(["these need a person:", *told]) if told else fleet_rows.need(view))
    if view.severity == "unknown":
        output.error("nothing that was seen is wrong, but not everything was seen.")
        sys.exit(NOT_KNOWN)


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
