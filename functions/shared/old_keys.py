"""Which of a tenant's keys are old, and when each was replaced, from OpenAI's list and the secret's versions. Pure.

A rotation names each key after the version that holds it, so no value is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from functions.shared.handover import OldKey
from functions.shared.openai_admin import Key
from myflux_keys import names
from myflux_keys.version_labels import CURRENT, PREVIOUS, is_pending, version_with


@dataclass(frozen=True)
class Versions:
    """`labels` and `made`, by version id: its staging labels, and when it was stored (Unix seconds). `keys`: the id of
    the key that a label's version holds, where that is known from its value, as of a key that was adopted."""

    labels: Mapping[str, Collection[str]]
    made: Mapping[str, float]
    keys: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def current(self) -> str | None:
        return version_with(CURRENT, self.labels)

    def replaced_at(self, version: str | None) -> float | None:
        """When the version after it was stored; None if that is unknown.

        Of the previous one that is the current one. Of an older one it is the next that was stored, which a failed
        rotation may have made: so the answer may be too early, and is never too late.
        """
        made = None if version is None else self.made.get(version)
        if version is None or made is None:
            return None
        if PREVIOUS in self.labels.get(version, ()):
            after = self.made.get(self.current or "")
            return after if after is not None and after >= made else None
        others = (one for one in self.made if not is_pending(self.labels.get(one, ())))
        return min((self.made[one] for one in others if self.made[one] > made), default=None)


def old_keys(
    keys: Collection[Key], cell: str, tenant: str, service_account_id: str, versions: Versions, now: float
) -> list[OldKey]:
    """Our valid keys that were replaced: the one of AWSPREVIOUS first, then the newest.

    Keys that no version holds, as a failed rotation leaves them, were never live and are none of these.
    """
    prefix = names.key_name(cell, tenant, "")
    by_label = {key_id: label for label, key_id in versions.keys.items()}
    found: list[tuple[bool, OldKey]] = []
    for key in sorted(keys, key=lambda one: one.created_at, reverse=True):
        version = _version_of(key, prefix, service_account_id, by_label, versions)
        labels = versions.labels.get(version or "", ())
        if version is None or CURRENT in labels or is_pending(labels) or not (labels or version in versions.made):
            continue
        if key.expires_at is None or key.expires_at > now:
            old = OldKey(key.id, versions.replaced_at(version), key.expires_at, key.last_used_at)
            found.append((PREVIOUS in labels, old))
    return [old for _, old in sorted(found, key=lambda one: not one[0])]


def _version_of(
    key: Key, prefix: str, service_account_id: str, by_label: Mapping[str, str], versions: Versions
) -> str | None:
    """None for a key that is not ours."""
    if key.id in by_label:
        return version_with(by_label[key.id], versions.labels)
    if key.name.startswith(prefix) and key.service_account_id == service_account_id:
        return key.name.removeprefix(prefix)
    return None
