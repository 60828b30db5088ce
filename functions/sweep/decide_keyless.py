"""Decides what to do with each key in the project of a tenant without a key, without any I/O.

No secret holds them, so nothing uses ours rightly. A young one is kept: a switch back to a key may just mint it.
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.shared.openai_admin import Key
from functions.sweep.decide_keys import GRACE_SECONDS, is_expired
from functions.sweep.facts import Action, Finding, Found
from myflux_keys import names


def decide_keyless(tenant: str, keys: Iterable[Key], account_id: str, now: float) -> list[Finding]:
    """A finding for each valid key. `account_id` is the tenant's service account; empty: known by its name only."""
    return [_judged(tenant, key, account_id, now) for key in keys if not is_expired(key, now)]


def _judged(tenant: str, key: Key, account_id: str, now: float) -> Finding:
    def found(found: Found, action: Action, reason: str) -> Finding:
        return Finding(tenant, key.id, key.name, found, action, reason, key.expires_at, key.last_used_at)

    ours = key.service_account == names.SERVICE_ACCOUNT or (bool(account_id) and key.service_account_id == account_id)
    if not ours:
        return found("foreign", "report", "not created by MyFlux Keys: its owner must decide whether it may stay")
    if key.created_at > now - GRACE_SECONDS:
        return found("kept", "none", "younger than an hour: a switch to a key may be about to store it")
    return found("orphan", "revoke", "the tenant gets tokens and has no secret, so nothing should hold a key")
