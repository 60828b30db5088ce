"""What a sweep knows of one tenant when it decides, and what it finds.

Owns the two records. Leaves out how facts are gathered (`gather_facts.py`), what follows from them (`decide.py`) and
doing it (`act.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from functions.rotation.tenant import Tenant
from functions.rotation.version import iso
from functions.shared.openai_admin import Key

Found = Literal["kept", "orphan", "overdue", "in_use", "alive", "foreign", "missing"]
"""`orphan`: ours, and nobody ever held it. `overdue`: ours, replaced, and set to live longer than it should. `in_use`:
the previous key, about to die and used since its replacement. `alive`: should be dead and still answers. `foreign`: not
ours, and held by no version of the secret. `missing`: the live version's key, which OpenAI no longer has."""
Action = Literal["none", "revoke", "expire", "extend", "report"]

NEEDS_A_PERSON: frozenset[str] = frozenset({"in_use", "alive", "foreign", "missing"})


@dataclass(frozen=True)
class Facts:
    """One tenant at one moment. Times are Unix seconds by OpenAI's clock.

    `versions` maps a staging label to its version; `held` maps a label to the id of the key that its version holds, for
    versions with a value of ours; `unreadable` are labels whose version holds something else. `promoted_at` is when the
    live version became live. `previous_answers`: a real call with the previous key, made only where it should be dead;
    None: not made, or its answer said nothing. `adopted` are ids of keys that were not made by us and that a version of
    the secret holds, whatever its label and whatever wrote it.
    """

    now: float
    tenant: Tenant
    keys: tuple[Key, ...]
    versions: Mapping[str, str]
    held: Mapping[str, str]
    unreadable: frozenset[str] = frozenset()
    promoted_at: float | None = None
    previous_answers: bool | None = None
    adopted: frozenset[str] = frozenset()
    consumers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One key and what is to be done with it. `seconds` is the life to set, for `expire` and `extend`."""

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
