"""`myflux-keys credential`: a tenant from a key to none, or back, without a failed call."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from ops.actions import run_credential
from ops.actions.rotate import Waiting
from ops.cli import ask, options, output


def credential(
    tenant: options.Tenant,
    federated: Annotated[
        bool, typer.Option("--federated", help="To no key: the runtime's AWS session gets tokens of minutes.")
    ] = False,
    key: Annotated[bool, typer.Option("--key", help="To a key in a secret, which is rotated.")] = False,
    wait_limit: Annotated[
        int, typer.Option(min=1, max=1440, help="Minutes to wait for readers at most. Then run it again.")
    ] = 120,
    yes: options.Yes = False,
    reason: options.Reason = "",
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Switch a tenant from a key to tokens, or back, while its runtime calls.

    To tokens: the rule and the identity are made and proven by a real call; readers change over; once the key has no
    user it is ended, and its secret's deletion is scheduled. Back: a key is made while tokens serve every call; readers
    change over; once the last token has ended, the rule is deleted. Either takes an hour or more, nearly all of it
    waiting. If it is stopped, the same command goes on, and the other one turns back. Callers need
    `KeyReader.openai_client`. Commit the file's change.
    """
    if federated == key:
        output.fail("give either --federated or --key. Nothing was changed.", code=2)
    target = "federated" if federated else "key"
    prepared = run_credential.prepare(fleet.resolve(), tenant, target, reason)
    facts: dict[str, object] = {"tenant": tenant, "credential": target}
    if dry_run:
        steps = prepared.steps
        output.result(facts | {"dry_run": True, "plan": steps}, "Would:\n" + output.numbered(steps), as_json=as_json)
        return
    question = f"Switch {tenant} ({prepared.tenant.name}) to {'tokens, without a key' if federated else 'a key'}?"
    run_credential.switch(
        prepared,
        confirmed=partial(ask.confirmed, question, yes=yes),
        report=output.step,
        waiting=Waiting(give_up_seconds=60.0 * wait_limit),
    )
    told = "has no key: its runtime gets tokens" if federated else "has a key, and its federation rule is deleted"
    output.result(facts | {"dry_run": False}, f"{tenant} {told}. Commit its file.", as_json=as_json)
