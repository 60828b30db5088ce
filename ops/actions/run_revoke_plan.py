"""Looks at what a revocation would find, for a dry run: the record, AWS and OpenAI are read, and nothing is changed.

Refuses what the revocation refuses before it changes something (`run_revoke.py`). Leaves out the words
(`revoke_plan.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from components.iam.denied_sessions import ALL
from ops import journal
from ops.account import Account
from ops.actions import revoke, revoke_plan, revoke_tokens, run_revoke, run_revoke_tokens
from ops.actions.end_keys import Keys, Seen
from ops.actions.revoke_plan import Planned
from ops.actions.revoke_tokens import SESSIONS
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import Tenant


def plan(root: Path, slug: str, reason: str, *, report: Callable[[str], None]) -> Planned:
    """Leaves nothing on this machine either. Raises OperationError, also where OpenAI could not be seen."""
    cell, tenant, why = run_revoke.asked_for(root, slug, reason)
    journal.refuse_second_run(cell, run_revoke.lock_of(slug))
    with Account(cell, revoke.OPERATION, why) as account:
        if tenant.has_identity:
            return _of_tokens(root, account, tenant, report)
        return _of_keys(account, tenant, report)


def _of_keys(account: Account, tenant: Tenant, report: Callable[[str], None]) -> Planned:
    opened = run_revoke.ready_for_keys(account, tenant)
    stopped = revoke.stopped(journal.folder(account.cell), tenant.tenant, opened=opened)
    report("\n".join(revoke.consequences(tenant)))
    seen = _looked("reads", lambda: Keys(account, tenant).look(tenant.tenant))
    return revoke_plan.of_keys(tenant, seen, opened=opened, stopped=stopped)


def _of_tokens(root: Path, account: Account, tenant: Tenant, report: Callable[[str], None]) -> Planned:
    slug = tenant.tenant
    denied = run_revoke_tokens.ready_for_tokens(account, tenant).denied_before() == ALL
    stopped = revoke.stopped(journal.folder(account.cell), slug, opened=tenant.enabled)
    report("\n".join(revoke_tokens.consequences(tenant)))
    before = stopped.entries[slug].detail if stopped else TenantFile(root, slug).said_of_enabled()
    seen = _looked("sessions", lambda: Keys(account, tenant).look_at_rules(slug))
    return revoke_plan.of_tokens(
        account.cell,
        tenant,
        seen,
        denied=denied,
        enabled=run_revoke_tokens.opens_again(before),
        stopped=stopped,
        first=SESSIONS,
    )


def _looked(denied: str, look: Callable[[], Seen]) -> Seen:
    try:
        return look()
    except OperationError as error:
        raise OperationError(
            f"what is valid at OpenAI could not be seen: {error} Without --dry-run, {denied} would be denied first, "
            "and then the same would stop the run. Nothing was changed."
        ) from None
