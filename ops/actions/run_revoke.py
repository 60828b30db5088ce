"""Runs a revocation, or continues one that was stopped: takes the lock, opens the record and the account.

Leaves out the order of steps (`revoke.py`), and a tenant that gets tokens (`run_revoke_tokens.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions import functions_client
from ops.actions.end_keys import Keys, Seen
from ops.actions.revoke import DENY, OPERATION, Revoke, consequences, ready, stopped
from ops.actions.revoke_tokens import RevokedTokens
from ops.actions.run_revoke_tokens import revoke_tokens
from ops.errors import Declined, OperationError
from ops.journal import Journal
from tenancy import Cell, Tenant


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
    cell, tenant, why = asked_for(root, slug, reason)
    with journal.exclusive_run(cell, lock_of(slug)) as place, Account(cell, OPERATION, why) as account:
        if tenant.has_identity:
            ended, run = revoke_tokens(root, account, tenant, place, why, confirmed=confirmed, report=report)
            return _of_tokens(tenant, ended, run, cell.names.tenant(slug).project)
        run = stopped(place, slug, opened=ready_for_keys(account, tenant))
        if run is not None:
            report(f"Continuing the run that {run.by} started on {run.begun}; done so far: {', '.join(run.done)}.")
        else:
            report("\n".join(consequences(tenant)))
            if not confirmed():
                raise Declined
            run = journal.begin(place, OPERATION, cell, [slug], why)
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


def asked_for(root: Path, slug: str, reason: str) -> tuple[Cell, Tenant, str]:
    """The cell, the tenant and the reason as CloudTrail records it. Raises OperationError."""
    why = checked_reason(reason)
    fleet = selection.files_of(root, [slug])
    tenant = selection.one_tenant(fleet, slug)
    if not tenant.minted:
        raise OperationError(
            f"{slug}'s key is the customer's own, and only the customer can revoke it: ask them to do so now, in "
            f"their OpenAI account. {_meanwhile(slug)}"
        )
    return fleet.cell_of(tenant), tenant, why


def lock_of(slug: str) -> str:
    return f"{OPERATION}-{slug}"


def ready_for_keys(account: Account, tenant: Tenant) -> bool:
    """Whether readers are allowed now. Raises OperationError where a later step could not succeed; nothing was changed
    then."""
    opened = ready(account, tenant)
    functions_client.refuse_other_version(account.cell, account.functions, _meanwhile(tenant.tenant))
    return opened


def _meanwhile(slug: str) -> str:
    return f"Meanwhile `myflux-keys disable {slug}` denies its readers within seconds."


def _of_tokens(tenant: Tenant, done: RevokedTokens, run: Journal, project: str) -> RevokedTenant:
    readable = done.rule is not None
    return RevokedTenant(tenant, project, "", Seen(None, None), readable, run.done, run.reason, done)
