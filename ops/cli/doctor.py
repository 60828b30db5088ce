"""`myflux-keys doctor`: what is wrong with this machine, an account or a cell, and what to type."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.actions import run_doctor
from ops.actions.doctor import Finding
from ops.cli import options, output
from ops.cli.progress import Later
from ops.cli.table import table


def doctor(
    cell: Annotated[
        str | None,
        typer.Argument(
            help="One cell. Default: all cells.",
            metavar="CELL",
            show_default=False,
            autocompletion=options.complete_cell,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Look for what is wrong with this machine, the account and the cell. Changes nothing, and reads no key.

    One line for each check: ok, wrong or not checked, what was seen, and what to type. Exits with 1 when something is
    wrong. What could not be seen is "not checked", with the reason, such as a call that AWS denies you. The cell's
    sweep function asks OpenAI, since it alone may use the admin key.
    """
    with Later() as progress:
        found = run_doctor.examine(fleet, cell, report=progress.say)
    output.result(
        {"findings": {where: [one.shown() for one in findings] for where, findings in found.items()}},
        table(
            ("WHERE", "CHECK", "STATE", "SEEN"),
            [(where, one.check, one.state, _told(one)) for where, findings in found.items() for one in findings],
        ),
        as_json=as_json,
    )
    wrong = [f"{where}: {one.check}" for where, findings in found.items() for one in findings if one.state == "wrong"]
    if wrong:
        output.fail(f"wrong: {', '.join(wrong)}")


def _told(one: Finding) -> str:
    return f"{one.seen.rstrip('.')}. To do: {one.mend}" if one.mend else one.seen
