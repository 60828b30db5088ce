"""The facts about one tenant from which a sweep decides, and its findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from functions.rotation.tenant import Tenant
from functions.shared.handover import Handover
from functions.shared.openai_admin import Key
from myflux_keys.payload import iso

Found = Literal["kept", "orphan", "overdue", "in_use", "handover", "alive", "foreign", "missing"]
"""`orphan`: ours, and no version holds it. `overdue`: ours, replaced, and valid for longer than it should be. `in_use`:
the previous key, which expires soon and was used since its replacement. `handover`: the key that a person's consumer
may hold, which expires soon and was not handed over yet. `alive`: should be invalid, but OpenAI accepts
it. `foreign`: not ours, and no version holds it. `missing`: the live version's key, which OpenAI no longer has."""
Action = Literal["none", "revoke", "expire", "extend", "report"]

NEEDS_A_PERSON: frozenset[str] = frozenset({"in_use", "alive", "foreign", "missing"})


@dataclass(frozen=True)
class Facts:
    """Facts of one tenant at one time. Times are Unix seconds by OpenAI's clock.

    `versions` maps a staging label to its version; `held` maps a label to the id of the key that its version holds, for
    versions with a value of ours; `unreadable` are labels whose version holds something else. `promoted_at` is when the
    live version became live. `previous_accepted`: whether a real call with the previous key succeeded, made only
    if the key should be invalid; None: not made, or unclear. `adopted` are ids of keys that we did not make but that
    some version of the secret holds. `handovers`: by consumer that a person serves, its record; None without one.
    `made` maps every version's id to when it was stored; it is empty where the tenant has no such consumer.
    """

    now: float
    tenant: Tenant
    keys: tuple[Key, ...]
    versions: Mapping[str, str]
    held: Mapping[str, str]
    unreadable: frozenset[str] = frozenset()
    promoted_at: float | None = None
    previous_accepted: bool | None = None
    adopted: frozenset[str] = frozenset()
    consumers: tuple[str, ...] = ()
    handovers: Mapping[str, Handover | None] = field(default_factory=dict[str, "Handover | None"])
    made: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True)
class Finding:
    """One key and what to do with it. `seconds` is the life to set, for `expire` and `extend`."""

    tenant: str
    key_id: str
    key_name: str
    found: Found
    action: Action
    reason: str
    expires_at: int | None = None
    last_used_at: int | None = None
    seconds: int | None = None
    consumers: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """For the answer and the log: names, ids and times in ISO 8601, never a value."""
        return {
            "tenant": self.tenant,
            "key_id": self.key_id,
            "key_name": self.key_name,
            "found": self.found,
            "action": self.action,
            "reason": self.reason,
            "expires_at": None if self.expires_at is None else iso(self.expires_at),
            "last_used_at": None if self.last_used_at is None else iso(self.last_used_at),
        }
