"""The state of each tenant's key, from AWS, files and stacks' states. Reads no value.

Owns the facts of one line. Leaves out whether OpenAI accepts the key, orphans (`orphans.py`), and printing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ops.account import Account
from ops.actions.access import Access, is_open
from ops.actions.history import versions
from ops.actions.orphans import Orphan, find_orphans
from ops.actions.session_access import denied_tenants
from ops.errors import OperationError
from ops.rotation_state import SecretFacts, tenant_secrets
from tenancy import Fleet, Tenant

_AT_ONCE: Final = 8
"""GetResourcePolicy calls in parallel: 2,000 tenants in some seconds, far below AWS's limit."""


@dataclass(frozen=True)
class TenantStatus:
    """`enabled` is what the file says, `readable` what AWS allows. `denied`: by command AWS denies every session of its
    runtime. `state` is the most important fact: ``ok``, ``tokens``, ``overdue``, ``pending``, ``no key``, ``not
    deployed``, ``disabled``, ``sessions denied``, ``differs`` or ``no file``; for an orphan ``deleted`` (its secret's
    deletion is scheduled), ``no secret``, ``wrong tags`` or ``no stack``."""

    tenant: str
    source: str
    enabled: bool | None
    readable: bool | None
    state: str
    last_rotated: datetime | None = None
    next_rotation: datetime | None = None
    key_age: timedelta | None = None
    pending: str | None = None
    denied: bool = False


@dataclass(frozen=True)
class CellStatus:
    """`as_of` is AWS's time. `secrets` are those of tenants, by slug."""

    as_of: datetime
    tenants: list[TenantStatus]
    orphans: list[Orphan]
    secrets: Mapping[str, SecretFacts]


def cell_status(
    account: Account, fleet: Fleet, stacks: Collection[str] | None, only: Collection[str] = ()
) -> CellStatus:
    """Every tenant of the cell that has a file, a stack or a secret, or those of `only`, sorted by slug. `stacks` None:
    the states were not read."""
    now = account.check()
    orphans = [one for one in find_orphans(account, fleet, stacks, now) if not only or one.tenant in only]
    listed = dict(tenant_secrets(account.secrets, account.cell.names))
    secrets = {slug: secret for slug, secret in listed.items() if not only or slug in only}
    files = {one.tenant: one for one in fleet.tenants_of(account.cell) if not only or one.tenant in only}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        deployed = [slug for slug in files if slug in secrets]
        readable = dict(zip(deployed, pool.map(_reads(account), [files[slug] for slug in deployed]), strict=True))
        not_rotating = [slug for slug in deployed if secrets[slug].current and not secrets[slug].rotation_enabled]
        made = dict(zip(not_rotating, pool.map(_made(account), [secrets[slug] for slug in not_rotating]), strict=True))
    denied = denied_tenants(account.roles, account.cell)
    orphaned = {orphan.tenant: _ORPHAN_STATES[orphan.kind] for orphan in reversed(orphans)}
    lines = [
        tenant_status(
            slug,
            files.get(slug),
            secrets.get(slug),
            readable.get(slug),
            now,
            made=made.get(slug),
            denied=slug in denied,
        )
        for slug in sorted({*files, *secrets, *orphaned})
    ]
    worded = [replace(line, state=_word(line.state, orphaned.get(line.tenant))) for line in lines]
    return CellStatus(now, worded, orphans, secrets)


_ORPHAN_STATES: Final = {
    "SecretDeleted": "deleted",
    "SecretMissing": "no secret",
    "SecretMistagged": "wrong tags",
    "FileMissing": "no file",
    "StackMissing": "no stack",
}


def _word(state: str, orphaned: str | None) -> str:
    """A tenant that was never deployed has neither a secret nor a stack."""
    return state if orphaned is None or (state, orphaned) == ("not deployed", "no stack") else orphaned


def tenant_status(
    slug: str,
    tenant: Tenant | None,
    secret: SecretFacts | None,
    readable: bool | None,
    now: datetime,
    *,
    made: datetime | None = None,
    denied: bool = False,
) -> TenantStatus:
    """One line of the table. Pure. `made` is when a key that does not rotate was stored."""
    source, enabled = (tenant.source, tenant.enabled) if tenant else ("?", None)
    if tenant is not None and not tenant.has_key:
        # What a switch leaves in its deletion window is no key.
        state = _DENIED if denied else "tokens" if enabled else "disabled"
        return TenantStatus(slug, source, enabled, None, state, denied=denied)
    if secret is None:
        return TenantStatus(slug, source, enabled, None, "not deployed", denied=denied)
    born = secret.last_rotated or made
    return TenantStatus(
        slug,
        source,
        enabled,
        readable,
        _DENIED if denied and tenant else _state(tenant, secret, readable, now),
        secret.last_rotated,
        secret.next_rotation,
        max(now - born, timedelta()) if born else None,
        secret.pending,
        denied,
    )


_DENIED: Final = "sessions denied"


def _state(tenant: Tenant | None, secret: SecretFacts, readable: bool | None, now: datetime) -> str:
    if tenant is None:
        return "no file"
    if readable is not None and readable != tenant.reads_key:
        return "differs"
    if secret.next_rotation is not None and secret.next_rotation < now:
        return "overdue"
    if secret.pending is not None:
        return "pending"
    if secret.current is None:
        return "no key"
    return "ok" if tenant.enabled else "disabled"


def _reads(account: Account) -> Callable[[Tenant], bool | None]:
    secrets = account.secrets

    def reads(tenant: Tenant) -> bool | None:
        try:
            return is_open(Access(secrets, account.cell, tenant).policy())
        except OperationError:
            return None

    return reads


def _made(account: Account) -> Callable[[SecretFacts], datetime | None]:
    secrets = account.secrets

    def made(secret: SecretFacts) -> datetime | None:
        return next((v.made for v in versions(secrets, secret.arn) if v.id == secret.current), None)

    return made
