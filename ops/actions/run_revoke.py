"""Runs a revocation, or continues one that was stopped: takes the lock, opens the record and the account.

Leaves out the order of steps (`revoke.py`), and a tenant that gets tokens (`run_revoke_tokens.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions import functions_client
from ops.actions.end_keys import Keys, Seen
from ops.actions.revoke import DENY, Revoke, consequences, continues, ready
from ops.actions.revoke_tokens import RevokedTokens
from ops.actions.run_revoke_tokens import revoke_tokens
from ops.errors import Declined, OperationError
from ops.journal import Journal
from tenancy import Tenant

_OPERATION: Final = "revoke"


@dataclass(frozen=True)
class RevokedTenant:
    """`version` is the new key's, `seen` the last check at OpenAI, `project` the tenant's project there. Of a tenant
    that gets tokens `tokens` says the rest, and both are empty."""

    tenant: Tenant
    project: str
    version: str
    seen: Seen
    readable: bool
    steps: list[str]
    reason: str
    tokens: RevokedTokens | None = None


def revoke(
    root: Path, slug: str, reason: str, *, confirmed: Callable[[], bool], report: Callable[[str], None]
) -> RevokedTenant:
    """Reports the consequences before it calls `confirmed`. Raises OperationError, or Declined; after an
    OperationError the same call continues."""
    why = checked_reason(reason)
    fleet = selection.files_of(root, [slug])
    tenant = selection.one_tenant(fleet, slug)
    if not tenant.minted:
        raise OperationError(
            f"{slug}'s key is the customer's own, and only the customer can revoke it: ask them to do so now, in "
            f"their OpenAI account. Meanwhile `myflux-keys disable {slug}` denies its readers within seconds."
        )
    cell = fleet.cell_of(tenant)
    with journal.exclusive_run(cell, f"{_OPERATION}-{slug}") as place, Account(cell, _OPERATION, why) as account:
        if tenant.has_identity:
            ended, run = revoke_tokens(root, account, tenant, place, why, confirmed=confirmed, report=report)
            return _of_tokens(tenant, ended, run, cell.names.tenant(slug).project)
        opened = ready(account, tenant)
        functions_client.refuse_other_version(
            cell, account.functions, f"Meanwhile `myflux-keys disable {slug}` denies its readers within seconds."
        )
        run = journal.unfinished(place, _OPERATION, [slug])
        if run is not None and continues(run, opened=opened, now=datetime.now(UTC)):
            report(f"Continuing the run that {run.by} started on {run.begun}; done so far: {', '.join(run.done)}.")
        else:
            report("\n".join(consequences(tenant)))
            if not confirmed():
                raise Declined
            run = journal.begin(place, _OPERATION, cell, [slug], why)
        keys = Keys(account, tenant)
        try:
            done = Revoke(account, tenant, run, kill=keys.revoke, look=keys.look, report=report).run()
        except BaseException:
            report(
                f"Stopped. Reads of {slug} stay denied. Run the same command again to continue."
                if DENY in run.done
                else f"Stopped before it was certain that reads of {slug} are denied. Run the same command again."
            )
            raise
        run.finish()
    return RevokedTenant(
        tenant,
        cell.names.tenant(slug).project,
        run.entries[slug].version,
        done.seen,
        done.readable,
        run.done,
        run.reason,
    )


def _of_tokens(tenant: Tenant, done: RevokedTokens, run: Journal, project: str) -> RevokedTenant:
    readable = done.rule is not None
    return RevokedTenant(tenant, project, "", Seen(None, None), readable, run.done, run.reason, done)
