"""What a warm rotation function remembers from one step of a rotation to the next.

Owns the list of keys that createSecret saw, so that finishSecret need not ask for it again: the Admin API allows few
calls a minute. Leaves out everything that would be wrong to lose: a cold start forgets it all, and finishSecret then
asks. Holds ids, names and times only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from functions.shared.openai_admin import Key

KEEP_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Seen:
    """A service account's keys, and among them the one that a version of the secret holds."""

    keys: tuple[Key, ...]
    current: Key


class Memory:
    """The keys seen while one version was made."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: tuple[str, str, Seen, float] | None = None

    def keep(self, secret_id: str, version_id: str, seen: Seen) -> None:
        self._kept = (secret_id, version_id, seen, self._monotonic())

    def take(self, secret_id: str, version_id: str) -> Seen | None:
        """Once, and only for the same rotation and soon after: a repeated finishSecret looks at what is there now."""
        kept, self._kept = self._kept, None
        if kept is None or kept[:2] != (secret_id, version_id) or self._monotonic() - kept[3] > KEEP_SECONDS:
            return None
        return kept[2]
