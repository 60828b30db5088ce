"""`myflux-keys demo`: what `make demo` runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.cli.options import ROOT


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave out the last two checks, and leave the cell running.")
    ] = False,
    home: Annotated[
        Path, typer.Option(help="The folder of the demo's own cell and its report.", show_default=".local/demo")
    ] = ROOT / ".local" / "demo",
) -> None:
    """Run the whole product on this machine: provision, mint, read, rotate, deny, destroy.

    Needs no account and no network. Writes HOME/report.json. Exits with 1 if a check fails.
    """
    from demo.play import play

    console = Console(soft_wrap=True)
    console.print(
        "The demo starts its own cell with four tenants, and checks each promise. This takes some minutes.\n",
        highlight=False,
    )
    report = play(home.resolve(), keep=keep, console=console)
    console.print(f"The report as JSON: {home / 'report.json'}", markup=False, highlight=False)
    if keep:
        console.print(_NEXT.format(home=home), markup=False, highlight=False)
    sys.exit(0 if report.ok else 1)


_NEXT = """The cell is still running. Try:

    eval "$(./myflux-keys local env --home {home})"
    export MYFLUX_FLEET={home}/fleet
    pulumi stack ls
    pulumi up --stack acme.local
    ./myflux-keys local advance 31d --home {home}     # a month passes, every key rotates
    ./myflux-keys local down --home {home}
"""
