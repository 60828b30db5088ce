"""What is to become of each key of a tenant's project: a pure decision on facts, without any I/O.

Owns the rules. Leaves out gathering facts and acting. The order of the rules is their meaning: what the secret holds is
safe before anything else is asked, and where something can't be told a key is left alone. Every time is OpenAI's own.

That an old key was extended is remembered by its expiry alone: a rotation sets it to promotion + overlap, an extension
adds another overlap, so whatever lies beyond the first has had its second chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from functions.shared.openai_admin import Key
from functions.sweep.facts import Action, Facts, Finding, Found
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS

GRACE_SECONDS: Final = 3600
"""Younger keys are left alone. A rotation stores its key within one invocation (15 minutes at most), and the facts are
gathered keys first, labels after: an older key that no label holds was lost for good."""
PROOF_SECONDS: Final = 600
"""A rotation itself uses a new key within this time to prove it. Later use is somebody's who holds it."""
READER_CACHE_SECONDS: Final = 3600
"""The longest that a reader goes on with the old key by itself: aws-secretsmanager-caching's default."""
LOOK_AHEAD_SECONDS: Final = 7200
"""How long before its death an old key is judged by its use. Four times the time between two scheduled sweeps."""
SLACK_SECONDS: Final = 900
"""Between promotion, the shortening of the old key, and the date that AWS notes."""
DEATH_SECONDS: Final = 60
"""After its expiry a key may be accepted for so long before that counts."""


def decide(facts: Facts) -> list[Finding]:
    """One finding a key that lives, and one for the live version's key where OpenAI no longer has it."""
    return [*_missing(facts), *(found for key in facts.keys if (found := _Judge(facts, key).verdict()))]


def is_dead(key: Key, now: float) -> bool:
    return key.expires_at is not None and key.expires_at <= now - DEATH_SECONDS


def _missing(facts: Facts) -> Iterator[Finding]:
    current, previous = facts.held.get(CURRENT), facts.held.get(PREVIOUS)
    listed = {key.id: key for key in facts.keys}
    if current is not None and (current not in listed or is_dead(listed[current], facts.now)):
        yield Finding(
            facts.tenant.tenant,
            current,
            listed[current].name if current in listed else "",
            "missing",
            "report",
            "the secret's live version holds this key, and OpenAI no longer accepts it: calls fail until a rotation",
            consumers=facts.consumers,
        )
    if previous is not None and previous not in listed and previous != current and facts.previous_answers:
        reason = "OpenAI no longer lists this key, and yet a call with it was answered"
        yield Finding(facts.tenant.tenant, previous, "", "alive", "report", reason, consumers=facts.consumers)


@dataclass(frozen=True)
class _Judge:
    facts: Facts
    key: Key

    def verdict(self) -> Finding | None:
        facts, key = self.facts, self.key
        labels = {label for label, key_id in facts.held.items() if key_id == key.id}
        if is_dead(key, facts.now):
            if labels == {PREVIOUS} and facts.previous_answers:
                return self._found("alive", "revoke", "it should be dead since its expiry, and a call was answered")
            return None
        named = key.name.startswith(facts.tenant.key_name(""))
        made_here = named and key.service_account_id == facts.tenant.service_account_id
        # Held by the secret, it is ours whoever made it: one that was there when the tenant was adopted.
        if not (made_here or labels or key.id in facts.adopted):
            return self._found("foreign", "report", "not made by us: its owner must say whether it may stay")
        if CURRENT in labels:
            return self._kept("the live version's key")
        if PENDING in labels:
            return self._kept("the key of a rotation that is not over")
        if not self._current_is_well():
            return self._kept("no live key is known to work, so no other is ended")
        if PREVIOUS in labels:
            return self._previous()
        if facts.unreadable:
            held = ", ".join(sorted(facts.unreadable))
            return self._kept(f"{held} holds a value that no rotation wrote, so whose key this is can't be told")
        if key.created_at > facts.now - GRACE_SECONDS:
            return self._kept("younger than an hour: a rotation may be about to store it")
        return self._without_label()

    def _current_is_well(self) -> bool:
        """True also where the secret never had a key: then a rotation's leftovers are all there is."""
        if CURRENT in self.facts.unreadable:
            return False
        current = self.facts.held.get(CURRENT)
        if current is None:
            return CURRENT not in self.facts.versions
        return any(key.id == current and not is_dead(key, self.facts.now) for key in self.facts.keys)

    def _previous(self) -> Finding:
        facts, key, overlap = self.facts, self.key, self.facts.tenant.overlap
        promoted = facts.promoted_at
        if promoted is None:
            return self._kept("when its successor became live is not known")
        left = None if key.expires_at is None else key.expires_at - facts.now
        beyond = None if key.expires_at is None else key.expires_at - (promoted + overlap)
        if left is None or beyond is None or (beyond > overlap + SLACK_SECONDS and left > overlap):
            reason = "replaced, and its life was never shortened to the overlap"
            return self._found("overdue", "expire", reason, seconds=overlap)
        if left > min(LOOK_AHEAD_SECONDS, overlap / 2) or not self._used_after(promoted + READER_CACHE_SECONDS):
            return self._kept("the previous version's key, dying by its own expiry")
        who = f"consumers: {', '.join(facts.consumers)}"
        if beyond > SLACK_SECONDS:
            return self._found("in_use", "report", f"about to die, still in use, and extended once already; {who}")
        seconds = max(int(left), 1) + overlap
        return self._found("in_use", "extend", f"about to die and still in use; {who}", seconds=seconds)

    def _without_label(self) -> Finding:
        facts, key = self.facts, self.key
        adopted = key.id in facts.adopted
        if not adopted and not self._used_after(key.created_at + PROOF_SECONDS):
            return self._found("orphan", "revoke", "no version of the secret holds it, and nobody has used it")
        if key.expires_at is None or key.expires_at > facts.now + facts.tenant.overlap:
            held = (
                "only an older version of the secret holds it"
                if adopted
                else "no version of the secret holds it any more"
            )
            reason = f"{held}, and it was {'adopted' if adopted else 'used'}: given the overlap and no longer"
            return self._found("overdue", "expire", reason, seconds=facts.tenant.overlap)
        return self._kept("replaced twice within its overlap, dying by its own expiry")

    def _used_after(self, moment: float) -> bool:
        return self.key.last_used_at is not None and self.key.last_used_at > moment

    def _kept(self, reason: str) -> Finding:
        return self._found("kept", "none", reason)

    def _found(self, found: Found, action: Action, reason: str, *, seconds: int | None = None) -> Finding:
        key = self.key
        return Finding(
            self.facts.tenant.tenant,
            key.id,
            key.name,
            found,
            action,
            reason,
            key.expires_at,
            key.last_used_at,
            seconds,
            self.facts.consumers,
        )
