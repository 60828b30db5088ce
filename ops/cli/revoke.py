"""`myflux-keys revoke`: a key has leaked."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions.end_keys import Keys, Seen
from ops.actions.revoke import DENY, Revoke, consequences, goes_on, ready
from ops.cli import ask, options, output
from ops.errors import OperationError

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

    Readers are refused first, then every key dies at OpenAI, also those that only old versions of the secret hold, then
    a new one is made, then readers are let in. Stopped anywhere, it leaves the door shut; the same command goes on.
    Exit code 1 where a key that the secret holds still answers, in another project or the customer's own.
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

        keys = Keys(account, chosen)
        try:
            done = Revoke(account, chosen, run, kill=keys.revoke, look=keys.look, tell=output.step).run()
        except BaseException:
            output.step(
                f"Stopped. Reads of {tenant} stay denied until the same command has come to its end."
                if DENY in run.done
                else f"Stopped before it was certain that reads of {tenant} are denied. Run the same command again."
            )
            raise
        run.finish()
    version, seen = run.entries[tenant].version, done.seen
    if seen.foreign:
        project = cell.names.tenant(tenant).project
        output.step(
            f"not touched, because neither made here nor held by the secret: {', '.join(seen.foreign)}. If one of "
            f"these has leaked, delete it on OpenAI's site, in project {project}."
        )
    output.result(
        {
            "tenant": tenant,
            "version_id": version,
            "key_id": seen.current,
            "readable": done.readable,
            "steps": run.done,
            "reason": run.reason,
            "foreign": list(seen.foreign),
            "beyond": [asdict(key) for key in seen.beyond],
        },
        sentence(tenant, version, seen) + "".join(f" {one.hint} now." for one in chosen.consumers.used if one.hint),
        as_json=as_json,
    )
    if seen.beyond:
        output.fail(
            "\n  ".join([f"keys that the secret of {tenant} holds still answer:", *(b.told() for b in seen.beyond)])
        )


def sentence(tenant: str, version: str, seen: Seen) -> str:
    """Of the last look, and no more than that."""
    others = "" if seen.beyond else ", and refuses every other that a version of its secret holds"
    return (
        f"{tenant} has a new key, {seen.current} (version {version}). OpenAI lists no other key of its own as alive"
        f"{others}."
    )
