"""Runs a revocation of a tenant that gets tokens, or goes on with one: the record, the file, the engine, the functions.

Leaves out the order of steps (`revoke_tokens.py`), and the lock and the account (`run_revoke.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ops import journal
from ops.account import Account
from ops.actions import functions_client
from ops.actions.deploy_tenant import deploy
from ops.actions.end_keys import Keys, Killed, Seen
from ops.actions.revoke import Revoke, stopped
from ops.actions.revoke_tokens import SESSIONS, RevokedTokens, RevokeTokens, consequences
from ops.actions.session_access import SessionAccess
from ops.actions.tenant_file import TenantFile
from ops.errors import Declined
from ops.journal import Journal
from tenancy import Tenant

_AS_BEFORE: Final[Mapping[str, bool | None]] = {"absent": None, "true": True}
"""What the file's field `enabled` is again, by what the record says of it before."""


def revoke_tokens(
    root: Path,
    account: Account,
    tenant: Tenant,
    place: Path,
    reason: str,
    *,
    confirmed: Callable[[], bool],
    report: Callable[[str], None],
) -> tuple[RevokedTokens, Journal]:
    """The lock is held, in whose folder `place` the record is. Raises OperationError, or Declined; after an
    OperationError the same call continues."""
    slug, cell = tenant.tenant, account.cell
    sessions = ready_for_tokens(account, tenant)
    run = stopped(place, slug, opened=tenant.enabled)
    if run is not None:
        report(f"Continuing the run that {run.by} started on {run.begun}; done so far: {', '.join(run.done)}.")
    else:
        report("\n".join(consequences(tenant)))
        if not confirmed():
            raise Declined
        run = journal.begin(place, "revoke", cell, [slug], reason)
        run.entries[slug].detail = TenantFile(root, slug).said_of_enabled()
        run.save()
    means = _Means(root, account, tenant, run, report)
    try:
        done = RevokeTokens(tenant, run, sessions, means, report).run()
    except BaseException:
        report(
            f"Stopped. {slug}'s sessions from before stay denied. Run the same command again to continue."
            if SESSIONS in run.done
            else f"Stopped before it was certain that {slug}'s sessions are denied. Run the same command again."
        )
        raise
    run.finish()
    return done, run


def ready_for_tokens(account: Account, tenant: Tenant) -> SessionAccess:
    """Raises OperationError where a later step could not succeed; nothing was changed then."""
    slug, now = tenant.tenant, account.check()
    sessions = SessionAccess(account.roles, account.cell, slug)
    # Also refuses, here rather than half way, who may not look at the role.
    sessions.refuse_to_deny(now)
    functions_client.refuse_other_version(
        account.cell, account.functions, f"Meanwhile `myflux-keys disable {slug}` deletes its rule."
    )
    return sessions


def opens_again(said: str) -> bool:
    """Whether a new rule comes, by what the record says of the file's field `enabled` before."""
    return said in _AS_BEFORE


@dataclass
class _Means:
    root: Path
    account: Account
    tenant: Tenant
    run: Journal
    report: Callable[[str], None]

    @property
    def _slug(self) -> str:
        return self.tenant.tenant

    @property
    def _keys(self) -> Keys:
        return Keys(self.account, self.tenant)

    def aws_now(self) -> datetime:
        return self.account.check()

    def close(self) -> None:
        if TenantFile(self.root, self._slug).set_enabled(False):
            self.report("the tenant's file says `enabled: false` meanwhile")
        self._deploy("Its sessions are denied, but its federation rule may still be at OpenAI.")

    def open(self) -> bool:
        before = self.run.entries[self._slug].detail
        if not opens_again(before):
            return False
        file = TenantFile(self.root, self._slug)
        file.write(file.with_fields({"enabled": _AS_BEFORE[before]}))
        self._deploy("Its sessions are denied, and whether OpenAI has its new rule is not certain.")
        return True

    def _deploy(self, failed: str) -> None:
        deploy(self.root, self.account.cell.names.tenant(self._slug).stack, report=self.report, failed=failed)

    def look_at_rules(self) -> Seen:
        return self._keys.look_at_rules(self._slug)

    def end_keys(self) -> Killed:
        return self._keys.revoke(self._slug)

    def new_key(self) -> None:
        # As of a disabled tenant: nobody may read the new key before the tenant's stack says so.
        shut = self.tenant.model_copy(update={"enabled": False})
        Revoke(self.account, shut, self.run, kill=self._keys.revoke, look=self._keys.look, report=self.report).run()

    def look(self) -> Mapping[str, Any]:
        return functions_client.look_at(self.account.cell, self._slug, self.account.functions)
