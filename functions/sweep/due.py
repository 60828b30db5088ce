"""Which tenants a scheduled sweep inspects, and which rotations are late, from what ListSecrets returns, without
I/O."""

from __future__ import annotations

import hashlib
from typing import Final

from functions.rotation.tenant import read_tenant
from functions.shared.handover import LONGEST_SECONDS
from functions.shared.rotation_guard import Refused
from functions.sweep.old_key import LOOK_AHEAD_SECONDS
from functions.sweep.tenants import TenantSecret
from myflux_keys import names
from myflux_keys.key_life import READER_CACHE_SECONDS
from myflux_keys.version_labels import pending_version

SLOT_SECONDS: Final = 1800
"""OpenAI's Admin API allows about seven lists of keys a minute, so a run cannot inspect all tenants. Each tenant has
one slot a day, by a hash. The scheduled sweep runs once a slot: `components/sweep.py` writes the same number into the
cron expression."""
SLOTS: Final = 86_400 // SLOT_SECONDS
LOOK_AFTER_SECONDS: Final = 3600
LATE_SECONDS: Final = 3600
"""AWS starts a rotation by NextRotationDate; this long after it, the rotation is late."""
INTERVAL_SLACK_SECONDS: Final = 2 * 86_400
"""Less than `key_life.MARGIN_HOURS`: a rotation this late is seen while there is still time."""


def slot(of: str) -> int:
    """The slot of the day, 0 to 47, that belongs to `of`: always the same one, and evenly spread."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8], "big") % SLOTS


def is_slot(of: str, now: float) -> bool:
    return int(now // SLOT_SECONDS) % SLOTS == slot(of)


def is_due(secret: TenantSecret, cell: str, now: float) -> bool:
    if is_slot(f"{cell}/{secret.tenant}", now):
        return True
    if not secret.managed:
        return False
    if pending_version(secret.state.stages) is not None:
        return True
    try:
        overlap = read_tenant(secret.state, cell).overlap
    except Refused:
        return True
    if secret.last_rotated is None:
        return False
    # The second one is the expiry of a key that was extended.
    deaths = (secret.last_rotated + overlap, secret.last_rotated + 2 * overlap)
    if any(death - LOOK_AHEAD_SECONDS <= now <= death + LOOK_AFTER_SECONDS for death in deaths):
        return True
    return bool(secret.pasted) and _is_handing_over(now - secret.last_rotated, overlap)


def _is_handing_over(since_rotation: float, overlap: int) -> bool:
    """Whether the key that a person's consumer may hold may soon expire: it is extended by one overlap at a time, first
    from promotion + overlap, or from the hour that a second rotation left it."""
    if not 0 <= since_rotation <= LONGEST_SECONDS + overlap:
        return False
    return (since_rotation + LOOK_AHEAD_SECONDS) % overlap <= LOOK_AHEAD_SECONDS + READER_CACHE_SECONDS


def overdue(secret: TenantSecret, now: float) -> str | None:
    """Why the tenant's rotation is late; None if it is not."""
    if not secret.managed:
        return None
    if not secret.state.rotation_enabled:
        return "rotation is off"
    if secret.next_rotation is not None and secret.next_rotation < now - LATE_SECONDS:
        return f"AWS should have rotated {(now - secret.next_rotation) / 3600:.0f} h ago"
    days = secret.state.tags.get(names.TAG_EVERY_DAYS, "")
    if secret.last_rotated is not None and days.isdigit():
        age = now - secret.last_rotated
        if age > int(days) * 86_400 + INTERVAL_SLACK_SECONDS:
            return f"the key is {age / 86_400:.0f} days old, and should rotate every {days} days"
    return None
