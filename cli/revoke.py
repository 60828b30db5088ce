"""`myflux-keys revoke`: a key has leaked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

import tenancy
from cli import ask, options, output
from operations import functions_client, journal, selection
from operations.account import Account, checked_reason
from operations.errors import OperationError
from operations.revoke import DENY, Killed, Revoke, consequences, goes_on, killed, ready

OPERATION = "revoke"


def revoke(
    tenant: options.Tenant,
    yes: options.Yes = False,
    reason: Annotated[
        str, typer.Option(help="Why, for the record: CloudTrail and `history` show it.", show_default=False)
    ] = "",
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """End every key of a tenant now, and give it a new one: for a key that has leaked.

    Readers are refused first, then every key dies at OpenAI, then a new one is made, then readers are let in. Stopped
    anywhere, it leaves the door shut; the same command goes on.
    """
    why = checked_reason(reason)
    held = tenancy.load(fleet)
    chosen = selection.one_tenant(held, tenant)
    if not chosen.minted:
        raise OperationError(
            f"{tenant}'s key is the customer's own: only they can end it, in their OpenAI account. Ask them to do so "
            f"now. Meanwhile `myflux-keys disable {tenant}` shuts its readers out within seconds."
        )
    cell = held.cell_of(chosen)
    with journal.alone(cell, f"{OPERATION}-{tenant}") as place, Account(cell, OPERATION, why) as account:
        opened = ready(account, chosen)
        run = journal.unfinished(place, OPERATION, [tenant])
        if run is not None and goes_on(run, opened=opened, now=datetime.now(UTC)):
            output.step(f"Going on with what {run.by} began on {run.begun}; done so far: {', '.join(run.done)}.")
        else:
            output.step("\n".join(consequences(chosen)))
            if not ask.confirmed(f"End every key of {tenant} now?", yes=yes):
                output.fail("nothing was changed.")
            run = journal.begin(place, OPERATION, cell, [tenant], why)

        def kill(slug: str) -> Killed:
            answer = functions_client.call(
                cell, cell.names.sweep_function, {"action": "revoke", "tenant": slug}, account.functions
            )
            return killed(answer)

        try:
            opened = Revoke(account, chosen, run, kill=kill, tell=output.step).run()
        except BaseException:
            output.step(
                f"Stopped. Reads of {tenant} stay denied until the same command has come to its end."
                if DENY in run.done
                else f"Stopped before it was certain that reads of {tenant} are denied. Run the same command again."
            )
            raise
        run.finish()
    version = run.entries[tenant].version
    output.result(
        {"tenant": tenant, "version_id": version, "readable": opened, "steps": run.done, "reason": run.reason},
        f"{tenant} has a new key (version {version}), and no other."
        + (" Paste it into CINNOX's dashboard now." if chosen.consumers.cinnox else ""),
        as_json=as_json,
    )
