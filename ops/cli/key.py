"""`myflux-keys key`: store a customer's own key, and show its age."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated, Any

import typer

import tenancy
from myflux_keys.payload import SecretText
from ops.account import Account
from ops.actions import customer_key
from ops.cli import options, output
from ops.cli.table import counted
from ops.selection import one_tenant
from tenancy.address import openai_base_url

app = typer.Typer(
    help="Customers' own keys (source: customer): given once, checked, stored, never shown.", no_args_is_help=True
)


@app.command("set")
def store(tenant: options.Tenant, fleet: options.Folder = options.DEFAULT_FLEET, as_json: options.Json = False) -> None:
    """Store a customer's key, read from a hidden prompt or from standard input.

    It is checked first: an admin key is refused; each of the tenant's models must be reachable; and the default model
    gives one short answer, which shows permission and balance and costs the customer a small part of a cent. Then the
    key is written to Secrets Manager, with your AWS credentials. Only the runtime can read it. A second `set` replaces
    it; only the customer can revoke the old key.
    """
    loaded = tenancy.load(fleet)
    chosen = one_tenant(loaded, tenant)
    cell = loaded.cells[chosen.cell]
    base_url = openai_base_url(cell)
    with Account(cell, "key-set") as account:
        account.check()
        customer_key.secret_of(cell, chosen)
        prompt = f"OpenAI key of {chosen.name} (not shown): "
        text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
        stored = customer_key.store(cell, chosen, SecretText(text.strip()), base_url, account.secrets)
    for notice in stored.notices:
        output.step(notice)
    output.result(
        {
            "tenant": tenant,
            "secret": stored.secret,
            "version_id": stored.version_id,
            "owner": stored.kind,
            "notices": list(stored.notices),
        },
        f"Stored in {stored.secret} as version {stored.version_id}.",
        as_json=as_json,
    )


@app.command()
def status(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Default: every tenant with a key of the customer's own.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show the age of customers' own keys, and what to ask the customer for. Reads no value."""
    loaded = tenancy.load(fleet)
    chosen = (
        [one_tenant(loaded, slug) for slug in dict.fromkeys(tenants)]
        if tenants
        else sorted((t for t in loaded.tenants.values() if not t.minted), key=lambda t: t.tenant)
    )
    rows: list[dict[str, Any]] = []
    sentences: list[str] = []
    for one in chosen:
        cell = loaded.cells[one.cell]
        with Account(cell, "key-status") as account:
            account.check()
            key = customer_key.standing(cell, one, account.secrets)
        age = f"{counted(key.age_days or 0, 'day')} ago"
        since = f"stored {key.stored_at:%Y-%m-%d}, {age}" if key.stored_at else "no key"
        sentences += [f"{one.tenant}: {since}", *(f"  {notice}" for notice in key.notices)]
        rows.append(
            {
                "tenant": one.tenant,
                "version_id": key.version_id,
                "stored_at": key.stored_at.isoformat() if key.stored_at else None,
                "age_days": key.age_days,
                "notices": list(key.notices),
            }
        )
    output.result({"keys": rows}, "\n".join(sentences) or "No tenant uses a key of its own.", as_json=as_json)
