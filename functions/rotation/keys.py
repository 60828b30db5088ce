"""Decides which keys of a service account a rotation expires, and when, from OpenAI's list, without I/O.

Compares only times of OpenAI's clock: the function's clock may be wrong, and a key that expires too soon is an outage.
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.rotation.tenant import MARGIN_SECONDS, Tenant
from functions.shared.openai_admin import Key


def leftovers(keys: Iterable[Key], key_name: str) -> list[Key]:
    """Keys that an earlier try of the same rotation minted and did not store: nobody has their value.

    A key with a life shorter than the margin was already expired, since OpenAI refused to delete it: a new key always
    gets a longer life.
    """
    return [
        key
        for key in keys
        if key.name == key_name and (key.expires_at is None or key.expires_at - key.created_at >= MARGIN_SECONDS)
    ]


def lasts(key: Key, tenant: Tenant, now: float | None) -> bool:
    """Whether a key that is about to become live stays valid for its interval and overlap, as a new one would.

    `now` is by OpenAI's clock; None, if no answer had a time, counts as the time when the key was made.
    """
    moment = key.created_at if now is None else now
    return key.expires_at is None or key.expires_at - moment >= tenant.life - MARGIN_SECONDS


def outdated(keys: Iterable[Key], tenant: Tenant, current: Key) -> list[Key]:
    """Our keys, other than the current one, that would stay valid beyond the overlap.

    Includes keys that an abandoned rotation left. The overlap starts when the live key was made. A key that expires
    within it is not changed, so that no life is ever lengthened. Keys without a name of our scheme are not changed.
    """
    prefix = tenant.key_name("")
    return [
        key
        for key in keys
        if key.name.startswith(prefix)
        and key.id != current.id
        and (key.expires_at is None or key.expires_at > current.created_at + tenant.overlap)
    ]


def remaining_life(expires_at_before: int | None, expires_at_after: int, asked: int) -> int | None:
    """Seconds to ask for if a new expiry is later than the old one; None if it is not.

    OpenAI's time is the new expiry minus the seconds asked for.
    """
    if expires_at_before is None or expires_at_after <= expires_at_before:
        return None
    return max(expires_at_before - (expires_at_after - asked), 1)
