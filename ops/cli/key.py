"""`myflux-keys key`: store a customer's own key, and show its age."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from ops.actions import store_keys
from ops.cli import ask, options, output
from tenancy import Tenant
from tenancy.address import LOCAL_OPENAI_URL

app = typer.Typer(help="Customers' own keys (source: customer): checked, stored, never shown.", no_args_is_help=True)


@app.command("set")
def store(tenant: options.Tenant, fleet: options.Folder = options.DEFAULT_FLEET, as_json: options.Json = False) -> None:
    """Store a customer's key, read from a hidden prompt or from standard input.

    It is checked first: an admin key is refused; each of the tenant's models must be reachable; and the default model
    gives one short answer, which shows permission and balance and costs the customer a small part of a cent. Then the
    key is written to Secrets Manager, with your AWS credentials. Only the runtime can read it. A second `set` replaces
    it; only the customer can revoke the old key.
    """
    stored = store_keys.store_customer_key(fleet, tenant, os.environ.get(LOCAL_OPENAI_URL), _typed)
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


def _typed(tenant: Tenant) -> str:
    return ask.key(f"OpenAI key of {tenant.name} (not shown): ")


@app.command()
def status(
    tenants: Annotated[
        list[str] | None,
        typer.Argument(
            help="Default: every tenant that uses the customer's own key.",
            metavar="[TENANT]...",
            show_default=False,
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show the age of customers' own keys, and what to ask the customers for. Reads no value."""
    rows: list[dict[str, Any]] = []
    sentences: list[str] = []
    for slug, found in store_keys.customer_key_statuses(fleet, tenants or []).items():
        since = f"stored {found.stored_at:%Y-%m-%d}, {found.age_days} days ago" if found.stored_at else "no key"
        sentences += [f"{slug}: {since}", *(f"  {notice}" for notice in found.notices)]
        rows.append(
            {
                "tenant": slug,
                "version_id": found.version_id,
                "stored_at": found.stored_at.isoformat() if found.stored_at else None,
                "age_days": found.age_days,
                "notices": list(found.notices),
            }
        )
    output.result({"keys": rows}, "\n".join(sentences) or "No tenant uses the customer's own key.", as_json=as_json)
