"""The list of keys that createSecret read, kept in a warm function for finishSecret.

It saves a call, since the Admin API allows few a minute. After a cold start finishSecret reads the list again. Holds
only ids, names and times.
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
    """A service account's keys, and which of them a version of the secret holds."""

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
        """Once, for the same rotation and soon after: a repeated finishSecret reads the list again."""
        kept, self._kept = self._kept, None
        if kept is None or kept[:2] != (secret_id, version_id) or self._monotonic() - kept[3] > KEEP_SECONDS:
            return None
        return kept[2]
