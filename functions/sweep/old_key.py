"""How long an old key lives that a person must replace in a consumer, such as CINNOX (docs/adr/0042-handover.md).

Owns one decision, without I/O: until it is handed over and unused since, the key that the consumer may hold is extended
by one overlap at a time, up to seven days after it was replaced. Leaves out which key that is and what state its
hand-over has (`functions/shared/handover.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from functions.rotation.tenant import SLACK_SECONDS
from functions.shared.handover import Current, OldKey, Standing, standing
from functions.shared.old_keys import Versions, old_keys
from functions.shared.openai_admin import Key
from functions.sweep.facts import Action, Facts, Found
from myflux_keys.payload import iso
from myflux_keys.version_labels import CURRENT

LOOK_AHEAD_SECONDS: Final = 7200
"""How long before its expiry an old key's use is checked. Four times the interval of scheduled sweeps."""


@dataclass(frozen=True)
class Waiting:
    """An old key, the consumer that may hold it, and its hand-over."""

    old: OldKey
    consumer: str
    standing: Standing


def waiting(facts: Facts) -> dict[str, Waiting]:
    """By the id of the old key. Of two consumers with the same key, the one that is not done.

    Two keys may wait for one hand-over: one is in use, and another is the one that was handed over. Somebody else, such
    as a process of MyFlux that never reads again, may be who uses the first.
    """
    current = facts.versions.get(CURRENT)
    if current is None or not facts.handovers:
        return {}
    versions = versions_of(facts)
    tenant = facts.tenant
    old = old_keys(facts.keys, tenant.cell, tenant.tenant, tenant.service_account_id, versions, facts.now)
    found: dict[str, Waiting] = {}
    for consumer, record in facts.handovers.items():
        now = standing(record, Current(current, facts.promoted_at), old, facts.now)
        handed = [key for key in old if now.state == "due" and record is not None and key.id == record.key_id]
        for key in [*([now.old] if now.old else []), *handed]:
            if now.extends or key.id not in found:
                found[key.id] = Waiting(key, consumer, now)
    return found


def versions_of(facts: Facts) -> Versions:
    labels: dict[str, set[str]] = {}
    for label, version in facts.versions.items():
        labels.setdefault(version, set()).add(label)
    return Versions(labels, facts.made, facts.held)


@dataclass(frozen=True)
class Verdict:
    found: Found
    action: Action
    reason: str
    seconds: int | None = None


def judge(key: Key, waits: Waiting, now: float, overlap: int) -> Verdict | None:
    """None: the rules for any old key decide, as for one that lives for longer than any extension gives."""
    left = None if key.expires_at is None else key.expires_at - now
    if key.expires_at is None or left is None or left > overlap + LOOK_AHEAD_SECONDS + SLACK_SECONDS:
        return None
    held, old = waits.standing, waits.old
    if not held.extends:
        return Verdict("kept", "none", f"handed over to {waits.consumer} and unused since; it expires by itself")
    used = held.is_used(old)
    why = _why(waits, used=used)
    if left > min(LOOK_AHEAD_SECONDS, overlap / 2):
        return Verdict("kept", "none", f"{why}; it is extended before it expires")
    last = old.last_day
    if last is None:
        why += "; it is unknown when it was replaced, so it is not extended"
    elif last > key.expires_at:
        seconds = min(max(int(left), 1) + overlap, int(last - now))
        return Verdict("handover", "extend", f"{why}; it ends on {iso(int(last))} at the latest", seconds)
    else:
        why += "; its seven days are over, so it is not extended"
    return Verdict("in_use", "report", why) if used else Verdict("kept", "none", why)


def _why(waits: Waiting, *, used: bool) -> str:
    if waits.standing.state == "saved":
        seen = "is still in use" if used else "may still be in use"
        return f"the new key was confirmed for {waits.consumer}, but this one {seen}"
    return f"{waits.consumer} may hold it, and nobody handed the new key over"
