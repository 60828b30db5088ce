"""Decides which keys of a service account a rotation ends or expires, and when, from OpenAI's list, without I/O.

However often a tenant rotates, at most four of our keys are valid: the live one; the one before it, for the overlap;
one that the sweep extended, since somebody still uses it, or else one in use; and one more. That is the key before the
previous one, for the hour that readers may cache it, or else the one being made: what has no place left ends before a
key is minted.

Compares only times of OpenAI's clock: the function's clock may be wrong, and a key that expires too soon is an outage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from functions.rotation.tenant import MARGIN_SECONDS, PROOF_SECONDS, SLACK_SECONDS, Tenant
from functions.shared.openai_admin import Key
from myflux_keys.key_life import READER_CACHE_SECONDS

HELD: Final = 2
"""Keys that stay when another is minted: those of AWSCURRENT and AWSPREVIOUS."""


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


def is_valid(key: Key, moment: float | None) -> bool:
    """`moment` is by OpenAI's clock; None, if no answer had a time, counts every key as valid."""
    return key.expires_at is None or moment is None or key.expires_at > moment


def surplus(valid: Collection[Key], tenant: Tenant, held: Collection[str]) -> list[Key]:
    """Our valid keys that end before another is minted: those that the secret no longer holds.

    Kept besides those in `held`, the ids of AWSCURRENT's and AWSPREVIOUS's keys: one that was extended, or else one in
    use, since an overlap of an hour does not show an extension; and the newest if `held` are fewer than two, as after a
    person stored a value of their own, since readers may still cache it.
    """
    holding = [key for key in valid if key.id in held]
    rest = [key for key in _ours(valid, tenant) if key.id not in held]
    since = max((key.created_at for key in holding), default=0)
    kept = {key.id for key in rest[: max(HELD - len(holding), 0)]}
    used = [key for key in rest if _was_live(key) and (key.last_used_at or 0) >= since - READER_CACHE_SECONDS]
    extended = _extended((key, since + READER_CACHE_SECONDS) for key in rest)
    kept |= {key.id for key in extended or _last_used(used)}
    return [key for key in rest if key.id not in kept]


def outdated(
    keys: Collection[Key],
    tenant: Tenant,
    current: Key,
    *,
    previous: Collection[str],
    before: Collection[str] = (),
) -> list[tuple[Key, int]]:
    """Our keys, other than the current one, that would stay valid for too long, each with the seconds to leave it.

    The key that `current` replaced, its id in `previous`, gets the overlap, and so does one that was extended. Any
    other gets what a reader may cache it for, also the one that was the previous key until now: its id is in `before`,
    which is empty if that is unknown. The time starts when the live key was made. A key that expires within it is not
    changed, so that no life is ever lengthened. Keys without a name of our scheme are not changed.
    """
    overlap = max(tenant.overlap, READER_CACHE_SECONDS)
    old = [key for key in _ours(keys, tenant) if key.id != current.id and is_valid(key, current.created_at)]
    replaced_at = max((key.created_at for key in keys if key.id in previous), default=0)
    rest = [key for key in old if key.id not in previous]
    # On its overlap until now. The others got less at the rotation before, if they were not extended.
    on_overlap = before or {key.id for key in rest[:1]}
    given = {key.id: overlap if key.id in on_overlap else READER_CACHE_SECONDS for key in rest}
    extended = _extended((key, replaced_at + given[key.id]) for key in rest)
    long = {*previous, *(key.id for key in extended)}
    lives = [(key, overlap if key.id in long else READER_CACHE_SECONDS) for key in old]
    made = current.created_at
    return [(key, seconds) for key, seconds in lives if key.expires_at is None or key.expires_at > made + seconds]


def _ours(keys: Iterable[Key], tenant: Tenant) -> list[Key]:
    """Newest first."""
    prefix = tenant.key_name("")
    return sorted((key for key in keys if key.name.startswith(prefix)), key=lambda key: key.created_at, reverse=True)


def _was_live(key: Key) -> bool:
    """Whether anybody but the rotation used it."""
    return key.last_used_at is not None and key.last_used_at > key.created_at + PROOF_SECONDS


def _extended(keys: Iterable[tuple[Key, int]]) -> list[Key]:
    """The one key that the sweep extended, or none. Each comes with the expiry that a rotation gave it: only a later
    one shows that it was extended. If several look so, the one that was used last."""
    found = [
        key
        for key, expiry in keys
        if _was_live(key) and key.expires_at is not None and key.expires_at > expiry + SLACK_SECONDS
    ]
    return _last_used(found)


def _last_used(keys: list[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: key.last_used_at or 0)[-1:]


def remaining_life(expires_at_before: int | None, expires_at_after: int, asked: int) -> int | None:
    """Seconds to ask for if a new expiry is later than the old one; None if it is not.

    OpenAI's time is the new expiry minus the seconds asked for.
    """
    if expires_at_before is None or expires_at_after <= expires_at_before:
        return None
    return max(expires_at_before - (expires_at_after - asked), 1)
