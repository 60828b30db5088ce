"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parents[2]


def complete_cell(incomplete: str) -> list[str]:
    return _files("cells", incomplete)


def complete_tenant(incomplete: str) -> list[str]:
    return _files("tenants", incomplete)


def _files(folder: str, incomplete: str) -> list[str]:
    """By their names alone: whoever presses Tab does not wait for ten thousand files to be read."""
    found = Path(os.environ.get("MYFLUX_FLEET", ROOT)) / folder
    return sorted(path.stem for path in found.glob(f"{incomplete}*.yaml"))


Tenant = Annotated[
    str,
    typer.Argument(
        help="The tenant, by its slug.", metavar="TENANT", show_default=False, autocompletion=complete_tenant
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for machines.")]
Home = Annotated[
    Path,
    typer.Option("--home", help="The folder that holds the cell.", envvar="MYFLUX_LOCAL_HOME", show_default=".local"),
]
Folder = Annotated[
    Path,
    typer.Option("--fleet", help="The folder that holds tenants/ and cells/.", envvar="MYFLUX_FLEET", show_default="."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for machines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Reason = Annotated[str, typer.Option(help="Why, for the record: CloudTrail and `history` show it.", show_default=False)]
Unprotect = Annotated[
    bool, typer.Option("--unprotect", help="Also where the cell is production, whose resources are protected.")
]
DEFAULT_HOME = ROOT / ".local"
DEFAULT_FLEET = ROOT
