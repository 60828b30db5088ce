"""`myflux-keys revoke`: revokes every key of a tenant after a leak, and makes a new one."""

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
        str, typer.Option(help="The reason, which CloudTrail and `history` show.", show_default=False)
    ] = "",
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Revoke every key of a tenant now, and make a new one. Use it when a key has leaked.

    First denies readers, then revokes every key at OpenAI, including keys that only old versions of the secret hold,
    then makes a new key, then allows readers again. If the command is stopped, reads stay denied; run it again to
    continue. Exits with 1 if a key that the secret holds is still valid, in another project or as the customer's own.
    """
    why = checked_reason(reason)
    held = tenancy.load(fleet)
    chosen = selection.one_tenant(held, tenant)
    if not chosen.minted:
        raise OperationError(
            f"{tenant}'s key is the customer's own: only they can revoke it, in their OpenAI account. Ask them to do "
            f"so now. Meanwhile `myflux-keys disable {tenant}` denies its readers within seconds."
        )
    cell = held.cell_of(chosen)
    with journal.alone(cell, f"{OPERATION}-{tenant}") as place, Account(cell, OPERATION, why) as account:
        opened = ready(account, chosen)
        run = journal.unfinished(place, OPERATION, [tenant])
        if run is not None and goes_on(run, opened=opened, now=datetime.now(UTC)):
            output.step(f"Continuing the run that {run.by} started on {run.begun}; done so far: {', '.join(run.done)}.")
        else:
            output.step("\n".join(consequences(chosen)))
            if not ask.confirmed(f"Revoke every key of {tenant} now?", yes=yes):
                output.fail("nothing was changed.")
            run = journal.begin(place, OPERATION, cell, [tenant], why)

        keys = Keys(account, chosen)
        try:
            done = Revoke(account, chosen, run, kill=keys.revoke, look=keys.look, tell=output.step).run()
        except BaseException:
            output.step(
                f"Stopped. Reads of {tenant} stay denied until the same command has finished."
                if DENY in run.done
                else f"Stopped before it was certain that reads of {tenant} are denied. Run the same command again."
            )
            raise
        run.finish()
    version, seen = run.entries[tenant].version, done.seen
    if seen.foreign:
        project = cell.names.tenant(tenant).project
        output.step(
            f"not revoked, because MyFlux did not make them and the secret does not hold them: "
            f"{', '.join(seen.foreign)}. If one of these has leaked, delete it on OpenAI's site, in project {project}."
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
        sentence(tenant, version, seen) + (" Paste it into CINNOX's dashboard now." if chosen.consumers.cinnox else ""),
        as_json=as_json,
    )
    if seen.beyond:
        output.fail(
            "\n  ".join([f"keys that the secret of {tenant} holds are still valid:", *(b.told() for b in seen.beyond)])
        )


def sentence(tenant: str, version: str, seen: Seen) -> str:
    """What the last check at OpenAI showed, and no more than that."""
    others = "" if seen.beyond else ", and refuses every other key that a version of its secret holds"
    return (
        f"{tenant} has a new key, {seen.current} (version {version}). OpenAI lists no other valid key of {tenant}"
        f"{others}."
    )
