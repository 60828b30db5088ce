"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from myflux_keys.consumers import PASTED

ROOT = Path(__file__).resolve().parents[2]


def complete_cell(incomplete: str) -> list[str]:
    return _files("cells", incomplete)


def complete_tenant(incomplete: str) -> list[str]:
    return _files("tenants", incomplete)


def complete_pasted(incomplete: str) -> list[str]:
    """Consumers into which a person pastes each new key."""
    return [name for name in PASTED if name.startswith(incomplete)]


def _files(folder: str, incomplete: str) -> list[str]:
    """By file names only: Tab completion must not read ten thousand files."""
    fleet = Path(os.environ.get("MYFLUX_FLEET", ROOT)) / folder
    return sorted(path.stem for path in fleet.glob(f"{incomplete}*.yaml") if not path.name.startswith("."))


Tenant = Annotated[
    str,
    typer.Argument(help="The tenant's slug.", metavar="TENANT", show_default=False, autocompletion=complete_tenant),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Home = Annotated[
    Path,
    typer.Option("--home", help="The folder that holds the cell.", envvar="MYFLUX_LOCAL_HOME", show_default=".local"),
]
Folder = Annotated[
    Path,
    typer.Option("--fleet", help="The folder that holds tenants/ and cells/.", envvar="MYFLUX_FLEET", show_default="."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Answer yes to every question.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")]
Reason = Annotated[str, typer.Option(help="The reason, which CloudTrail and `history` show.", show_default=False)]
Unprotect = Annotated[
    bool, typer.Option("--unprotect", help="Remove the deletion protection that resources of a production cell have.")
]
DEFAULT_HOME = ROOT / ".local"
DEFAULT_FLEET = ROOT
