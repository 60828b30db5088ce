"""Ending every key of a tenant, begun or gone on with: the lock, the record and the account.

Leaves out the order of steps (`revoke.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions.end_keys import Keys, Seen
from ops.actions.revoke import DENY, Revoke, consequences, goes_on, ready
from ops.errors import Declined, OperationError
from tenancy import Tenant

_OPERATION: Final = "revoke"


@dataclass(frozen=True)
class Ended:
    """`version` is the new key's, `seen` the last look at OpenAI, `project` the tenant's there."""

    tenant: Tenant
    project: str
    version: str
    seen: Seen
    readable: bool
    steps: list[str]
    reason: str


def revoke(root: Path, slug: str, reason: str, *, confirmed: Callable[[], bool], tell: Callable[[str], None]) -> Ended:
    """The person who is asked by `confirmed` has been told the consequences before. Raises OperationError, and
    Declined; the same call then goes on."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    if not tenant.minted:
        raise OperationError(
            f"{slug}'s key is the customer's own: only they can end it, in their OpenAI account. Ask them to do so "
            f"now. Meanwhile `myflux-keys disable {slug}` shuts its readers out within seconds."
        )
    cell = fleet.cell_of(tenant)
    with journal.alone(cell, f"{_OPERATION}-{slug}") as place, Account(cell, _OPERATION, why) as account:
        opened = ready(account, tenant)
        run = journal.unfinished(place, _OPERATION, [slug])
        if run is not None and goes_on(run, opened=opened, now=datetime.now(UTC)):
            tell(f"Going on with what {run.by} began on {run.begun}; done so far: {', '.join(run.done)}.")
        else:
            tell("\n".join(consequences(tenant)))
            if not confirmed():
                raise Declined
            run = journal.begin(place, _OPERATION, cell, [slug], why)
        keys = Keys(account, tenant)
        try:
            done = Revoke(account, tenant, run, kill=keys.revoke, look=keys.look, tell=tell).run()
        except BaseException:
            tell(
                f"Stopped. Reads of {slug} stay denied until the same command has come to its end."
                if DENY in run.done
                else f"Stopped before it was certain that reads of {slug} are denied. Run the same command again."
            )
            raise
        run.finish()
    return Ended(
        tenant,
        cell.names.tenant(slug).project,
        run.entries[slug].version,
        done.seen,
        done.readable,
        run.done,
        run.reason,
    )
