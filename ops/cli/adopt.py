"""`myflux-keys adopt`: imports an existing project and secret, with their key, into a tenant's stack."""

from __future__ import annotations

import os
from typing import Any

import tenancy
from ops import journal, selection
from ops.account import Account
from ops.actions import functions_client
from ops.actions.adopt import (
    claim,
    dies_early,
    is_dead,
    judged,
    look,
    new_key,
    plan,
    put_back,
    rotate_from_next_slot,
    untouched,
)
from ops.cli import ask, options, output
from ops.cli.table import iso, when
from ops.errors import OperationError
from ops.rotation_state import facts

OPERATION = "adopt"


def adopt(
    tenant: options.Tenant,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Import an existing OpenAI project and secret, and keep the secret's key until the tenant's next rotation slot.

    The secret must have the name that readers use and hold this tenant's payload. A function checks it and returns no
    value. Readers can read all the time. If the command is stopped, run it again to continue. If the secret's deletion
    is scheduled, it is restored; if its key is revoked or expired, a new one is requested.
    """
    root = fleet.resolve()
    held = tenancy.load(root)
    chosen = selection.one_tenant(held, tenant)
    cell = held.cell_of(chosen)
    names = cell.names.tenant(tenant)
    with journal.alone(cell, f"{OPERATION}-{tenant}") as place, Account(cell, OPERATION) as account:
        account.check()
        found = look(account, chosen)
        told = plan(chosen, names, found)
        result: dict[str, Any] = {"tenant": tenant, "secret": names.secret, "stack": names.stack, "dry_run": dry_run}

        def value() -> tuple[dict[str, Any], list[str]]:
            if found.facts.current is None:
                return {"key_id": "", "expires_at": "", "proof": "refused"}, ["The secret holds no value."]
            event = {"action": "inspect", "tenant": tenant}
            answer = functions_client.call(cell, cell.names.sweep_function, event, account.functions)
            return answer, judged(answer, chosen, names)

        if dry_run:
            later = ["The value can be checked once the secret is restored and tagged: adopt then checks it first."]
            notices = later if found.untagged or found.facts.deleted else value()[1]
            result |= {"plan": told, "notices": notices}
            output.result(result, "Would:\n" + "\n".join([output.numbered(told), *notices]), as_json=as_json)
            return
        output.step("\n".join(f"- {step}" for step in told))
        if not ask.confirmed(f"Adopt {names.secret} with its present key?", yes=yes):
            output.fail("nothing was changed.")
        claim(account, found)
        try:
            answer, notices = value()
        except OperationError:
            put_back(account, found)
            raise
        dead = is_dead(answer)
        if not dead:
            output.step(
                f"the secret holds {tenant}'s payload; its key stays: {answer['key_id'] or 'the customer knows its id'}"
            )

        rotate_from_next_slot(account, chosen, found)

        # Loads Pulumi, which takes a second: no other command should pay for it.
        from ops.stacks import adoption
        from ops.stacks.engine import Engine, OperationFailed
        from ops.stacks.interrupting import left_to_the_engine

        os.environ["MYFLUX_FLEET"] = str(root)
        engine, rotates = Engine(place / "engine"), chosen.minted
        try:
            with left_to_the_engine():
                done = adoption.adopt(engine, names.stack, found.facts.arn, rotates=rotates, tell=output.step)
        except OperationFailed as error:
            now = facts(account.secrets.describe_secret(SecretId=found.facts.arn))
            kept = "The secret holds no valid key." if dead else untouched(answer["version_id"], now)
            raise OperationError(f"{error} {kept} Correct that, then run the same command again.") from None
        after = facts(account.secrets.describe_secret(SecretId=found.facts.arn))
        if dead:
            notices.append(new_key(account, chosen, found))
    if not dead and dies_early(answer["expires_at"], after.next_rotation):
        notices.append(
            f"The key expires on {answer['expires_at']}, before its next slot ({when(after.next_rotation)}): run "
            f"`myflux-keys rotate {tenant}` before that."
        )
    for notice in notices:
        output.step(notice)
    result |= {
        "version_id": after.current,
        "key_id": answer["key_id"],
        "next_rotation": iso(after.next_rotation),
        "changed": done.changed,
        "notices": notices,
    }
    next_key = f" The next rotation is in the slot of {when(after.next_rotation)}." if after.next_rotation else ""
    kept = "Its secret held no valid key." if dead else untouched(answer["version_id"], after)
    output.result(result, f"{tenant} is adopted. {kept}{next_key}", as_json=as_json)
