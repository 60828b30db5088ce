"""How long a key is cached, when it is fetched again, and the pauses after failures. Pure; times in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

JITTER: Final = 0.1
REFRESH_AT: Final = 0.8
"""The share of a key's time after which the next read starts a refresh."""
MAX_TTL: Final = 1800.0
"""Half of one hour, the shortest overlap in a tenant's file: the other half is for the longest call that started with
the old key just before a cache replaced it."""
MAX_STALE_FOR: Final = 86_400.0
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0


class Times(NamedTuple):
    """Unix seconds."""

    refresh_at: float
    good_until: float
    last_until: float
    """Until when the key is used while AWS fails."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """`ttl`: seconds that a key is cached. `stale_for`: seconds beyond that while AWS fails."""

    ttl: float = 300.0
    stale_for: float = 3600.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.ttl <= MAX_TTL / (1 + JITTER):
            raise ValueError(
                f"ttl must be 1 to {MAX_TTL / (1 + JITTER):.0f} s, got {self.ttl!r}: with its jitter it must be at most"
                " half of the shortest overlap, one hour, or calls fail after a rotation"
            )
        if not 0.0 <= self.stale_for <= MAX_STALE_FOR:
            raise ValueError(f"stale_for must be 0 to {MAX_STALE_FOR:.0f} s, got {self.stale_for!r}")

    def of(self, fetched_at: float, expires_at: datetime | None, chance: float) -> Times:
        """`expires_at` is None for a customer's own key. `chance` in 0..1 spreads processes that started together by
        ± 10 %. A key that AWS returns after its expiry is cached like any other: this machine's clock may be wrong, and
        OpenAI decides."""
        expiry = expires_at.timestamp() if expires_at else math.inf
        until = fetched_at + self.ttl * (1 + JITTER * (2 * chance - 1))
        good_until = expiry if fetched_at < expiry < until else until
        return Times(
            refresh_at=fetched_at + REFRESH_AT * (good_until - fetched_at),
            good_until=good_until,
            last_until=min(good_until + self.stale_for, expiry),
        )


def pause_after(attempts: int, chance: float) -> float:
    """Seconds until the next call of AWS after `attempts` failures in a row (1 or more): doubling, ± 10 %."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 10)) * (1 + JITTER * (2 * chance - 1))
