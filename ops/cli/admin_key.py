"""`myflux-keys admin-key`: store the admin key, which mints all other keys, and rotate it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from ops.actions import store_keys
from ops.cli import ask, options, output
from tenancy.address import LOCAL_OPENAI_URL

app = typer.Typer(
    help="The cell's OpenAI admin key: stored once, read by the functions only, rotated on a schedule.",
    no_args_is_help=True,
)

CellName = Annotated[
    str, typer.Option(help="The cell that the key is for.", autocompletion=options.complete_cell, show_default=False)
]


@app.command("set")
def store(
    cell: Annotated[
        str | None,
        typer.Option(
            help="The cell that the key is for; with --tenant, the cell that the tenant is moving to.",
            autocompletion=options.complete_cell,
            show_default=False,
        ),
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option(
            help="The tenant whose customer gave an admin key.",
            autocompletion=options.complete_tenant,
            show_default=False,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Store an admin key, read from a hidden prompt or from standard input.

    There is no option for the key itself: arguments show in process lists and shell histories. First the command
    checks with OpenAI that the key is valid, belongs to the cell's organization, and may make changes. Then it writes
    the key to Secrets Manager, with your AWS credentials. Only the functions can read it. Give it to nobody else: the
    next rotation replaces it, and revokes it at OpenAI a day later.

    With --tenant, store the admin key of a customer's own organization: it goes to a secret of that tenant, and only
    the customer can replace it.
    """
    if cell is None and tenant is None:
        output.fail("give --cell, or --tenant for a customer's admin key.", code=2)
    done = store_keys.store_admin_key(fleet, cell, tenant, os.environ.get(LOCAL_OPENAI_URL), _typed)
    stored = done.stored
    for notice in stored.notices:
        output.step(notice)
    expires = datetime.fromtimestamp(stored.expires_at, UTC).isoformat() if stored.expires_at else None
    output.result(
        ({"tenant": tenant} if tenant else {})
        | {
            "cell": done.cell,
            "secret": stored.secret,
            "version_id": stored.version_id,
            "expires_at": expires,
            "notices": list(stored.notices),
        },
        f"Stored in {stored.secret} as version {stored.version_id}.",
        as_json=as_json,
    )


def _typed() -> str:
    return ask.key("OpenAI admin key (not shown): ")


@app.command()
def rotate(
    cell: CellName,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the new key is live.")] = False,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Replace the admin key now, outside its schedule. The old admin key still works for a day.

    Tenants' keys do not change. If the admin key has leaked, also revoke it by hand once the new one is live, on
    OpenAI's site under Settings, Organization, Admin keys. The functions fetch the new key by themselves.
    """
    if dry_run:
        plan = store_keys.admin_key_rotation(fleet, cell)
        facts = {"cell": cell, "dry_run": True, "plan": plan}
        return output.result(facts, "Would:\n" + output.numbered(plan), as_json=as_json)
    done = store_keys.rotate_admin_key(fleet, cell, wait=wait, report=output.step)
    return output.result(
        {"cell": cell, "secret": done.secret, "version_id": done.version, "live": wait},
        f"Version {done.version} is live." if wait else f"Secrets Manager has started to make version {done.version}.",
        as_json=as_json,
    )
