"""`myflux-keys usage`: what tenants used, and what OpenAI billed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from ops.actions import run_usage
from ops.actions.usage import By, Report
from ops.cli import options, output, usage_report
from ops.cli.progress import Later


def usage(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Default: every tenant, and what OpenAI books to none of them.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="One cell. Default: all cells.", autocompletion=options.complete_cell)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The first day, UTC, at most a year ago. Default: the first of this month.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        By | None,
        typer.Option(
            help="A row for each model, key or day of a tenant. Default: one for each tenant.", show_default=False
        ),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV on stdout.")] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show what tenants used and what OpenAI billed for it, both in USD before tax, with their difference.

    BILLED is OpenAI's own figure. PRICED is the tokens times the prices of the package genai-prices, which shows
    whether the bill fits the use. OpenAI says that the two may differ a little, and that the bill counts. Days are UTC.
    Today and yesterday are provisional, since OpenAI adds to them later. A day of which it has no costs is "no data
    yet", not zero; with --by day, one on which nothing was used has no row.

    The cell's health function asks OpenAI, so you need no admin key. It runs one call at a time: while it looks at the
    cell, the command waits. Exits with 1 when something is missing: a price, a cell or
    an organization that did not answer.
    """
    if as_csv and as_json:
        output.fail("--csv and --json both print to stdout: give one of them.", code=2)
    found = run_usage.usage_of(fleet, tenants or [], cell, since.date() if since else None, by, _line)
    reports = found.reports
    if as_csv:
        print(output.plain(_csv(reports)), end="")
    else:
        text = "\n\n".join(map(usage_report.text, reports))
        facts = {"cells": [usage_report.facts(one) for one in reports], "cells_not_read": found.not_read}
        output.result(facts, text, as_json=as_json)
    problems = [f"cell {name} was not read: {why}" for name, why in found.not_read.items()]
    problems += [sentence for one in reports for sentence in usage_report.problems(one)]
    if problems:
        output.fail("this is incomplete:\n  " + "\n  ".join(problems))


def _csv(reports: list[Report]) -> str:
    """One header. Numbers are exact, and empty where they are not known."""
    written = io.StringIO()
    rows = csv.DictWriter(written, ["cell", "as_of", *usage_report.FIELDS], lineterminator="\n")
    rows.writeheader()
    for one in reports:
        for line in one.lines:
            rows.writerow({"cell": one.cell, "as_of": usage_report.moment(one.as_of), **usage_report.row(one, line)})
    return written.getvalue()


@contextmanager
def _line() -> Generator[Callable[[str], None]]:
    with Later() as line:
        yield line.say
