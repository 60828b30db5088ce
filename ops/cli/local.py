"""`myflux-keys local`: the local cell, with emulators of AWS and OpenAI on loopback."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from local import environment, rotations
from local.cell import AWS_PORT, OPENAI_PORT, LocalCell, preferred
from ops.cli import options, output
from ops.cli.progress import Line
from ops.cli.table import counted

app = typer.Typer(help="A cell on this machine: no account, no network, no cost.", no_args_is_help=True)


@app.command()
def up(home: options.Home = options.DEFAULT_HOME, as_json: options.Json = False) -> None:
    """Start the cell, unless it already runs."""
    started = time.monotonic()
    cell = LocalCell.start(home, aws_port=preferred(AWS_PORT), openai_port=preferred(OPENAI_PORT))
    facts = _facts(cell) | {"seconds": round(time.monotonic() - started, 2)}
    output.result(
        facts,
        f"AWS      {cell.aws_url}  (account {cell.account_id}, {cell.region})\n"
        f"OpenAI   {cell.openai_url}\n"
        f"Ready in {facts['seconds']} s. Next, as the deployer:\n\n"
        f'    eval "$(./myflux-keys local env{_named(home)})"\n'
        f"    pulumi stack select --create local && pulumi up",
        as_json=as_json,
    )


def _named(home: Path) -> str:
    """What the next command needs to find the same cell."""
    return "" if home == options.DEFAULT_HOME else f" --home {shlex.quote(str(home))}"


@app.command()
def status(home: options.Home = options.DEFAULT_HOME, as_json: options.Json = False) -> None:
    """Show whether the cell runs, and its addresses. Exits with 1 if it does not run."""
    found = LocalCell.status(home)
    facts = _facts(LocalCell.attach(home)) if found.state == "running" else {}
    output.result({"state": found.state, "detail": found.detail, **facts}, found.detail, as_json=as_json)
    if found.state != "running":
        sys.exit(1)


@app.command()
def env(
    user: Annotated[
        str,
        typer.Option(
            help="IAM user of the cell: deployer, ci, runtime, stranger, or administrator, who may do everything. "
            "The deployer may change only what has a name of MyFlux Keys."
        ),
    ] = "deployer",
    home: options.Home = options.DEFAULT_HOME,
) -> None:
    """Print the variables that a shell needs for the cell: eval "$(./myflux-keys local env)"."""
    print(environment.compute(LocalCell.attach(home), user).shell())


@app.command("mfa-code")
def mfa_code(home: options.Home = options.DEFAULT_HOME, as_json: options.Json = False) -> None:
    """Print the code that the deployer's MFA device shows now, for `handover`. AWS takes each code once."""
    serial, code = LocalCell.attach(home).second_factor()
    output.result({"serial_number": serial, "code": code}, code, as_json=as_json)


@app.command()
def down(home: options.Home = options.DEFAULT_HOME) -> None:
    """Stop the cell and delete its data, including Pulumi's state."""
    print("The local cell was deleted." if LocalCell.clear(home) else "There was no local cell.")


@app.command()
def reset(home: options.Home = options.DEFAULT_HOME, as_json: options.Json = False) -> None:
    """Stop the cell, delete its data, and start an empty one."""
    LocalCell.clear(home)
    up(home, as_json)


@app.command()
def advance(
    duration: Annotated[str, typer.Argument(help="How far: 90s, 30m, 26h or 31d.")],
    minutes: Annotated[
        int, typer.Option("--wait-minutes", min=0, help="How long to wait for the rotations that are then due.")
    ] = 30,
    home: options.Home = options.DEFAULT_HOME,
) -> None:
    """Move the cell's clock forward: keys expire and rotations start as if the time had passed.

    Waits until the rotations have ended that it made due, each at its turn as on AWS. The functions' own schedules keep
    this machine's time.
    """
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", duration)
    if not match:
        output.fail(f"`{duration}` is not a duration: write a number and a unit, such as 90s, 30m, 26h or 31d.", code=2)
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    cell = LocalCell.attach(home)
    ahead = cell.advance(seconds)
    print(f"The cell's clock is now {_ahead(ahead)} ahead of this machine's clock.", flush=True)
    with Line() as line:
        found = rotations.settled(cell.home, ahead, minutes * 60.0, lambda seen: line.say(f"{seen.left} to rotate"))
    if found.left:
        print(
            f"{counted(found.left, 'rotation')} are still under way or wait for their turn. They go on by themselves."
        )
    if found.failed:
        output.fail(
            f"{counted(found.failed, 'rotation')} failed, and the next try is in the next window: `myflux-keys status` "
            "names the tenants."
        )


def _ahead(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"


@app.command("openai-admin-key")
def openai_admin_key(home: options.Home = options.DEFAULT_HOME) -> None:
    """Make an admin key in the cell's OpenAI emulator, as an owner does on OpenAI's site: ./myflux-keys local
    openai-admin-key | ./myflux-keys admin-key set --cell local"""
    _only_piped("`myflux-keys admin-key set --cell local`")
    print(LocalCell.attach(home).openai.create_admin_key("local-cell"))


@app.command("openai-customer")
def openai_customer(
    organization: Annotated[
        str, typer.Argument(help="The organization's id, as in the tenant's file. Each id is another customer.")
    ] = "org-customer",
    admin: Annotated[bool, typer.Option("--admin", help="Print an admin key, for `admin-key set --tenant`.")] = False,
    home: options.Home = options.DEFAULT_HOME,
) -> None:
    """Open a customer's own OpenAI account in the cell's emulator, and make a key in it, as they do on OpenAI's site:
    ./myflux-keys local openai-customer | ./myflux-keys key set TENANT

    With --admin it is an admin key of their organization. Then the tenant's file has the same organization_id:
    ./myflux-keys local openai-customer org-customer --admin | ./myflux-keys admin-key set --tenant TENANT
    """
    if not re.fullmatch(r"org-[A-Za-z0-9-]{1,60}", organization):
        output.fail(f"`{organization}` is not the id of an organization: write org- and a name, such as org-acme.", 2)
    _only_piped("`myflux-keys admin-key set --tenant TENANT`" if admin else "`myflux-keys key set TENANT`")
    openai = LocalCell.attach(home).openai
    project = openai.open_customer(organization)
    if admin:
        print(openai.create_admin_key("for MyFlux", organization_id=organization))
    else:
        print(openai.create_user_key(project, "for MyFlux"))


def _only_piped(command: str) -> None:
    if sys.stdout.isatty():
        output.fail(f"a key is never printed on a terminal: pipe this into {command}.", code=2)


def _facts(cell: LocalCell) -> dict[str, Any]:
    return {
        "home": str(Path(cell.home)),
        "aws_url": cell.aws_url,
        "openai_url": cell.openai_url,
        "region": cell.region,
        "account_id": cell.account_id,
    }
