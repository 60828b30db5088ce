"""What is wrong with one tenant, by its file, its secret, and what the health function remembers of it. Pure.

Owns the facts of one tenant, and the troubles that AWS alone shows. A finding about a key that has been replaced since
is shown as not known: the next look tells. Leaves out how bad a kind is (`trouble_view.py`) and the row
(`tenant_view.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from functions.health.history import Trouble
from functions.health.notices import Scope
from functions.health.state import TenantState
from functions.health.trouble import TENANT
from ops import ways_out
from ops.actions.connect_view import key_waits, no_key
from ops.actions.fleet_view import LinkView, TroubleView
from ops.actions.status import TenantStatus
from ops.actions.trouble_view import first_command, of_health
from ops.rotation_state import SecretFacts
from tenancy import Tenant
from tenancy.declaration import declared

ROTATION_WINDOW: Final = timedelta(hours=5)
"""A rotation window is four hours: what is pending for longer was left by a rotation that failed."""
FIRST_KEY: Final = timedelta(minutes=15)
"""How long a new secret may be without a key before that is a trouble: its rotation begins at once."""
_OF_THE_KEY: Final = frozenset({"key_refused", "key_expiring", "rotation_late", "scopes_missing", "person_owned_key"})
"""What a new key may end."""


@dataclass(frozen=True)
class Seen:
    """What is known of one tenant. `tenant` None: it has no file here. `remembered` None: the health function knows
    nothing of it. `found` are its open troubles. `costs_as_of` and `every` are of the whole cell's last look: when, by
    OpenAI's clock, and the time from one to the next. `unlooked`: why nothing of the health function counts, as that it
    is too old; empty if it does."""

    cell: str
    tenant: Tenant | None
    status: TenantStatus
    secret: SecretFacts | None
    orphans: tuple[TroubleView, ...]
    remembered: TenantState | None
    found: tuple[Trouble, ...]
    costs_as_of: float
    every: timedelta
    unlooked: str
    shared: tuple[TroubleView, ...]
    """Troubles of its organization, or of OpenAI itself."""
    now: datetime
    links: tuple[LinkView, ...] = ()
    connect: bool = False
    """Whether its cell has a connect page, by which the customer can hand in a key."""


def troubles(seen: Seen) -> Iterator[TroubleView]:
    yield from seen.orphans
    if not seen.orphans:
        yield from _of_aws(seen)
    if seen.status.denied and seen.tenant is not None:
        yield _denied(seen.tenant)
    told = declared(seen.tenant) if seen.tenant else None
    everybody = {seen.status.tenant: told} if told else {}
    for trouble in seen.found:
        if (trouble.kind == "rotation_late" and _is_late(seen)) or (seen.orphans and trouble.kind in _OF_ORPHANS):
            continue
        if trouble.kind in _OF_NO_SECRET and seen.secret and not seen.secret.deleted:
            continue
        view = of_health(trouble, Scope(TENANT, seen.status.tenant), seen.cell, everybody)
        yield _of_another_key(view) if trouble.kind in _OF_THE_KEY and _was_replaced(seen) else view
    if not seen.unlooked and is_looked_at(seen):
        yield from _not_seen(seen)


_OF_ORPHANS: Final = frozenset({"secret_missing", "secret_deleting", "undeclared"})
"""What orphans say with more words, since commands see files and stacks too."""


_OF_NO_SECRET: Final = frozenset({"secret_missing", "secret_deleting"})
"""What the health function saw before the secret was made or restored: AWS was asked after it."""


def _of_aws(seen: Seen) -> Iterator[TroubleView]:
    """What the file and the secret show by themselves."""
    status, secret, tenant, slug = seen.status, seen.secret, seen.tenant, seen.status.tenant
    if secret is None or tenant is None or secret.deleted:
        return
    if status.readable is not None and status.readable != tenant.reads_key:
        ours, theirs = ("enabled", "denies") if tenant.enabled else ("disabled", "allows")
        up = f"myflux-keys up {slug}"
        yield TroubleView(
            "access_differs",
            "attention",
            f"its file says {ours}, and AWS {theirs} reads of its key",
            do=f"deploy its file; if that is wrong, `{'disable' if tenant.enabled else 'enable'}` the tenant instead",
            command=up,
        )
    if status.readable is None:
        told, up = (
            "its secret has no resource policy, so other tenants' readers are not denied",
            f"myflux-keys up {slug}",
        )
        yield TroubleView("no_policy", "attention", told, do="deploy it", command=up)
    waits = key_waits(slug, seen.links, has_key=secret.current is not None)
    if waits:
        yield waits
    if secret.current is None:
        if not waits:
            yield _without_key(seen, secret, tenant)
        return
    if not tenant.minted:
        return
    rotate = f"myflux-keys rotate {slug} --wait"
    if not secret.rotation_enabled:
        told = ways_out.rotation_off(slug)
        yield TroubleView(
            "rotation_off",
            "attention",
            "its rotation is off, so its key will expire",
            do="deploy it",
            command=first_command(told),
        )
    elif _is_late(seen):
        yield TroubleView(
            "rotation_late", "attention", "the rotation is late", secret.next_rotation, "rotate now", rotate, _LATE
        )
    elif secret.pending and secret.changed and seen.now - secret.changed > ROTATION_WINDOW:
        told = f"a rotation began and did not finish: version {secret.pending} is pending"
        yield TroubleView("rotation_unfinished", "attention", told, secret.changed, "rotate again", rotate, _LATE)


def _denied(tenant: Tenant) -> TroubleView:
    """Of a disabled one too: a revocation that is stopped leaves `enabled: false` in the file."""
    slug = tenant.tenant
    do, command = "allow new ones", f"myflux-keys enable {slug}"
    if tenant.has_identity:
        do, command = (
            "revoke it again, which completes a stopped revocation; or `enable` it",
            f"myflux-keys revoke {slug}",
        )
    return TroubleView(
        "sessions_denied",
        "broken" if tenant.enabled else "attention",
        "every session of its runtime is denied in IAM: a revocation runs or was stopped, or somebody did it by hand",
        do=do,
        command=command,
        page="docs/credentials.md#a-federated-tenant-whose-calls-fail",
    )


_LATE: Final = "docs/runbook.md#rotationslate"


def _without_key(seen: Seen, secret: SecretFacts, tenant: Tenant) -> TroubleView:
    slug = tenant.tenant
    if tenant.minted and secret.created and seen.now - secret.created < FIRST_KEY:
        told = "its first key is being made"
        return TroubleView("first_key", "unknown", told, secret.created, "look again in some minutes")
    if not tenant.minted:
        return no_key(slug, seen.links, secret.created, offered=seen.connect)
    rotate = f"myflux-keys rotate {slug} --wait"
    return TroubleView("no_key", "broken", "it has no key", secret.created, "make one", rotate)


def _is_late(seen: Seen) -> bool:
    secret = seen.secret
    return secret is not None and secret.next_rotation is not None and secret.next_rotation < seen.now


def _was_replaced(seen: Seen) -> bool:
    """Whether the health function last used another key than the live one."""
    used = seen.remembered.key_version if seen.remembered else None
    return used is not None and seen.secret is not None and used != seen.secret.current


def _of_another_key(view: TroubleView) -> TroubleView:
    told = f"{view.sentence}; but that was the key before, and the new one was not looked at yet"
    # Without a slug, so that many tenants with it are one row.
    return replace(
        view, severity="unknown", sentence=told, do="wait for the next look; `verify` looks now", command=None
    )


def _not_seen(seen: Seen) -> Iterator[TroubleView]:
    memory, slug = seen.remembered, seen.status.tenant
    verify = f"myflux-keys verify {slug}"
    if memory is None or memory.seen_at is None:
        told = "the health function has not seen OpenAI answer its calls yet"
        yield TroubleView("not_checked", "unknown", told, do="wait for the next look, or look now", command=verify)
    elif seen.costs_as_of - memory.seen_at > 2 * seen.every.total_seconds():
        told = "OpenAI has not answered the health function's calls for it for more than two looks"
        yield TroubleView("not_checked", "unknown", told, moment(memory.seen_at), "look now", verify)


def is_looked_at(seen: Seen) -> bool:
    """Whether the health function uses its key, or a token."""
    tenant, secret = seen.tenant, seen.secret
    if tenant is None or not tenant.enabled:
        return False
    return tenant.has_identity or (secret is not None and secret.current is not None)


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
