"""Decides what to do with each key of a tenant's project, from facts, without any I/O.

Owns the rules. Leaves out gathering facts and acting. The order of the rules matters: keys that the secret holds are
kept first, and if a fact is unknown the key is kept. Every time is by OpenAI's clock.

Only an old key's expiry shows that it was extended: a rotation sets it to promotion + overlap, and an extension adds
another overlap. The old key that a person's consumer may hold has rules of its own (`old_key.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from functions.rotation.tenant import PROOF_SECONDS, SLACK_SECONDS
from functions.shared.openai_admin import Key
from functions.sweep import old_key
from functions.sweep.facts import Action, Facts, Finding, Found
from functions.sweep.old_key import LOOK_AHEAD_SECONDS, Waiting
from myflux_keys.key_life import READER_CACHE_SECONDS
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS

GRACE_SECONDS: Final = 3600
"""Younger keys are kept. A rotation stores its key within one invocation (15 minutes at most), and the facts are
gathered keys first, labels after: so an older key without a label was never stored."""
EXPIRY_SLACK_SECONDS: Final = 60
"""How long after its expiry OpenAI may still accept a key before that is a finding."""


def decide(facts: Facts) -> list[Finding]:
    """One finding for each valid key, and one for the live version's key if OpenAI no longer has it."""
    waiting = old_key.waiting(facts)
    return [*_missing(facts), *(found for key in facts.keys if (found := _Judge(facts, key, waiting).verdict()))]


def is_expired(key: Key, now: float) -> bool:
    return key.expires_at is not None and key.expires_at <= now - EXPIRY_SLACK_SECONDS


def _missing(facts: Facts) -> Iterator[Finding]:
    current, previous = facts.held.get(CURRENT), facts.held.get(PREVIOUS)
    listed = {key.id: key for key in facts.keys}
    if current is not None and (current not in listed or is_expired(listed[current], facts.now)):
        yield Finding(
            facts.tenant.tenant,
            current,
            listed[current].name if current in listed else "",
            "missing",
            "report",
            "the live version holds this key, but OpenAI no longer accepts it: calls fail until a rotation",
            consumers=facts.consumers,
        )
    if previous is not None and previous not in listed and previous != current and facts.previous_accepted:
        reason = "OpenAI no longer lists this key, but still accepts it"
        yield Finding(facts.tenant.tenant, previous, "", "alive", "report", reason, consumers=facts.consumers)


@dataclass(frozen=True)
class _Judge:
    facts: Facts
    key: Key
    waiting: Mapping[str, Waiting]

    def verdict(self) -> Finding | None:
        facts, key = self.facts, self.key
        labels = {label for label, key_id in facts.held.items() if key_id == key.id}
        if is_expired(key, facts.now):
            if labels == {PREVIOUS} and facts.previous_accepted:
                return self._found("alive", "revoke", "it has expired, but OpenAI still accepts it")
            return None
        named = key.name.startswith(facts.tenant.key_name(""))
        made_here = named and key.service_account_id == facts.tenant.service_account_id
        # If the secret holds it, it is ours whoever made it: the tenant was adopted with it.
        if not (made_here or labels or key.id in facts.adopted):
            return self._found(
                "foreign", "report", "not created by MyFlux Keys: its owner must decide whether it may stay"
            )
        if CURRENT in labels:
            return self._kept("the live version's key")
        if PENDING in labels:
            return self._kept("the key of a rotation that is not over")
        if not self._current_is_valid():
            return self._kept("it is unknown whether the live key is valid, so no other key is revoked")
        if waits := self.waiting.get(key.id):
            own = old_key.judge(key, waits, facts.now, facts.tenant.overlap)
            if own is not None:
                return self._found(own.found, own.action, own.reason, seconds=own.seconds)
        if PREVIOUS in labels:
            return self._previous()
        if facts.unreadable:
            held = ", ".join(sorted(facts.unreadable))
            return self._kept(
                f"{held} holds a value that no rotation wrote, so it is unknown whether this key is in it"
            )
        if key.created_at > facts.now - GRACE_SECONDS:
            return self._kept("younger than an hour: a rotation may be about to store it")
        return self._without_label()

    def _current_is_valid(self) -> bool:
        """Whether the live key is valid. True also if the secret never had a key."""
        if CURRENT in self.facts.unreadable:
            return False
        current = self.facts.held.get(CURRENT)
        if current is None:
            return CURRENT not in self.facts.versions
        return any(key.id == current and not is_expired(key, self.facts.now) for key in self.facts.keys)

    def _previous(self) -> Finding:
        facts, key, overlap = self.facts, self.key, self.facts.tenant.overlap
        promoted = facts.promoted_at
        if promoted is None:
            return self._kept("it is unknown when its successor became live")
        left = None if key.expires_at is None else key.expires_at - facts.now
        beyond = None if key.expires_at is None else key.expires_at - (promoted + overlap)
        if left is None or beyond is None or (beyond > overlap + SLACK_SECONDS and left > overlap):
            reason = "replaced, but its expiry was not set to the overlap"
            return self._found("overdue", "expire", reason, seconds=overlap)
        if left > min(LOOK_AHEAD_SECONDS, overlap / 2) or not self._used_after(promoted + READER_CACHE_SECONDS):
            return self._kept("the previous version's key, which expires by itself")
        who = f"consumers: {', '.join(facts.consumers)}"
        if beyond > SLACK_SECONDS:
            return self._found(
                "in_use", "report", f"expires soon, is still in use, and was extended once already; {who}"
            )
        seconds = max(int(left), 1) + overlap
        return self._found("in_use", "extend", f"expires soon and is still in use; {who}", seconds=seconds)

    def _without_label(self) -> Finding:
        facts, key = self.facts, self.key
        adopted = key.id in facts.adopted
        if not adopted and not self._used_after(key.created_at + PROOF_SECONDS):
            return self._found("orphan", "revoke", "no version of the secret holds it, and it was never used")
        if key.expires_at is None or key.expires_at > facts.now + facts.tenant.overlap:
            held = (
                "only an older version of the secret holds it"
                if adopted
                else "no version of the secret holds it any more"
            )
            reason = f"{held}, and it was {'adopted' if adopted else 'used'}: its expiry is set to the overlap"
            return self._found("overdue", "expire", reason, seconds=facts.tenant.overlap)
        return self._kept("replaced twice within its overlap; expires by itself")

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
