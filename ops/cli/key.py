"""`myflux-keys key`: how a customer's own key gets to its place, and how it stands."""

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
from ops.selection import one_tenant
from tenancy.address import openai_base_url

app = typer.Typer(
    help="Customers' own keys (source: customer): handed over once, checked, stored, never shown.", no_args_is_help=True
)


@app.command("set")
def store(tenant: options.Tenant, fleet: options.Folder = options.DEFAULT_FLEET, as_json: options.Json = False) -> None:
    """Store a customer's key, read from a hidden prompt or from standard input.

    It is checked first: an admin key is refused; each of the tenant's models must be reachable; and the default model
    is asked for one short answer, which shows permission and balance and costs the customer a small part of a cent.
    Then it goes straight to Secrets Manager, with your AWS credentials. Only the runtime can read it. A second `set`
    replaces it; the key before it is the customer's to end.
    """
    held = tenancy.load(fleet)
    chosen = one_tenant(held, tenant)
    cell = held.cells[chosen.cell]
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
            help="Left out: every customer's.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """How customers' own keys stand: since when, and what to ask the customer for. No value is read."""
    held = tenancy.load(fleet)
    chosen = (
        [one_tenant(held, slug) for slug in dict.fromkeys(tenants)]
        if tenants
        else sorted((t for t in held.tenants.values() if not t.minted), key=lambda t: t.tenant)
    )
    rows: list[dict[str, Any]] = []
    sentences: list[str] = []
    for one in chosen:
        cell = held.cells[one.cell]
        with Account(cell, "key-status") as account:
            account.check()
            found = customer_key.standing(cell, one, account.secrets)
        since = f"stored {found.stored_at:%Y-%m-%d}, {found.age_days} days ago" if found.stored_at else "no key"
        sentences += [f"{one.tenant}: {since}", *(f"  {notice}" for notice in found.notices)]
        rows.append(
            {
                "tenant": one.tenant,
                "version_id": found.version_id,
                "stored_at": found.stored_at.isoformat() if found.stored_at else None,
                "age_days": found.age_days,
                "notices": list(found.notices),
            }
        )
    output.result({"keys": rows}, "\n".join(sentences) or "No tenant brings a key of its own.", as_json=as_json)
