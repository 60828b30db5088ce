"""Denies or allows a tenant's readers: writes its file, then the secret's policy (`access.py`), then runs the
engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from components.iam.denied_sessions import ALL
from ops import selection, ways_out
from ops.account import Account
from ops.actions.access import Access, is_open
from ops.actions.deploy_tenant import deploy
from ops.actions.session_access import SessionAccess
from ops.actions.tenant_file import TenantFile


@dataclass(frozen=True)
class Switched:
    """What changed, or with `dry` what would. `stack_changes` counts resources; None where the engine has not run.
    `tokens`: its runtime gets tokens, so the stack's federation rule decides, and no secret's policy."""

    file: Path
    stack: str
    file_changes: bool
    policy_changes: bool
    stack_changes: int | None = None
    tokens: bool = False


def switch(root: Path, slug: str, *, enabled: bool, dry: bool, report: Callable[[str], None]) -> Switched:
    """Raises OperationError, also where somebody else changes the policy meanwhile; the same call then continues."""
    fleet = selection.files_of(root, [slug])
    tenant = selection.one_tenant(fleet, slug)
    cell = fleet.cell_of(tenant)
    file = TenantFile(root, slug)
    stack = cell.names.tenant(slug).stack
    tokens = tenant.credential == "federated"
    command, word = ("enable", "allowed") if enabled else ("disable", "denied")
    with Account(cell, command) as account:
        account.check()
        access = Access(account.secrets, cell, tenant)
        policy = not tokens and is_open(access.policy()) is not enabled
        found = Switched(file.path, stack, tenant.enabled is not enabled, policy, tokens=tokens)
        if dry:
            return found
        if file.set_enabled(enabled):
            report(f"{file.path}: enabled: {str(enabled).lower()}")
        if not tokens:
            changed = access.switch(enabled=enabled)
            report(f"reads of {slug} are {word}{'' if changed else ' already'}")
    so_far = "in the file alone" if tokens else "in AWS and in the file"
    changes = deploy(
        root,
        stack,
        report=report,
        failed=f"Reads of {slug} are {word} {so_far}, but `pulumi up` failed, so Pulumi's state may differ.",
    )
    if enabled and cell.federation.enabled:
        with Account(cell, command) as account:
            _allow_sessions(account, slug, report)
    if tokens:
        report(f"{slug} gets tokens again" if enabled else ways_out.last_token(slug))
    else:
        with Account(cell, command) as account:
            Access(account.secrets, cell, tenant).check(enabled=enabled)
    return replace(found, stack_changes=changes)


def _allow_sessions(account: Account, slug: str, report: Callable[[str], None]) -> None:
    """After a revocation that was stopped, all of them are denied."""
    sessions = SessionAccess(account.roles, account.cell, slug)
    if sessions.denied_before() == ALL:
        sessions.allow_from(account.check())
        report(f"a revocation was stopped: {slug}'s new sessions are allowed again, those from before stay denied")
