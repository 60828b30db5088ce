"""Which keys of a service account a rotation ends, and when: decisions on what OpenAI lists, without any I/O.

Owns the rules. Leaves out calls. Every comparison is between two times of OpenAI's own clock, because the function's
clock may be wrong and a key that dies too soon is an outage.
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.rotation.tenant import MARGIN_SECONDS, Tenant
from functions.shared.openai_admin import Key


def leftovers(keys: Iterable[Key], key_name: str) -> list[Key]:
    """Keys that an earlier try of the same rotation minted and lost: nobody holds their value.

    A key whose whole life is shorter than the margin was expired already, since OpenAI refused to delete it: a new key
    always gets a longer life.
    """
    return [
        key
        for key in keys
        if key.name == key_name and (key.expires_at is None or key.expires_at - key.created_at >= MARGIN_SECONDS)
    ]


def lasts(key: Key, tenant: Tenant, now: float | None) -> bool:
    """Whether a key that is about to become the live one outlives its interval and overlap, as a new one would.

    `now` is by OpenAI's clock; None, where OpenAI told no time, counts as the moment the key was made.
    """
    moment = key.created_at if now is None else now
    return key.expires_at is None or key.expires_at - moment >= tenant.life - MARGIN_SECONDS


def outdated(keys: Iterable[Key], tenant: Tenant, current: Key) -> list[Key]:
    """Our keys, other than the current one, that would live on past the overlap.

    Not only the previous version's: what an abandoned rotation left behind goes the same way. The overlap is counted
    from the making of the current key; a key that dies within it dies soon enough and is left alone, so that a life is
    never lengthened. Keys that are not named by our scheme are not ours to touch.
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
    """Seconds to ask for when a shortening turned out to lengthen; None where it did not.

    OpenAI's answer tells its time: the new expiry less the seconds asked for.
    """
    if expires_at_before is None or expires_at_after <= expires_at_before:
        return None
    return max(expires_at_before - (expires_at_after - asked), 1)
