"""The cache's entry for one tenant's key, and who fetches it, without AWS, threads or sleep.

Owns freshness, the last good key, the pause after failures, and that one fetch answers all callers that wait. Leaves
out the fetch itself and how callers wait (`reader`). Times are seconds on the reader's wall clock: a monotonic clock
stops while a machine or a Lambda sandbox sleeps, but keys age then. If the clock was set back, a key counts as old.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from myflux_keys.errors import KeyReaderError
from myflux_keys.key import Key

Outcome = Key | KeyReaderError
Flight = Future["Outcome | None"]
"""One fetch, or a cached answer. None: the fetch was abandoned; try again."""

JITTER: Final = 0.1
MAX_TTL: Final = 1800.0
"""Half of one hour, the shortest overlap in a tenant's file: the other half is for the longest call that started with
the old key just before a cache replaced it."""
MAX_STALE_FOR: Final = 86_400.0
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0

_log: Final = logging.getLogger("myflux_keys")


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

    def good_until(self, fetched_at: float, expires_at: float, chance: float) -> float:
        """`chance` in 0..1 spreads processes that started together by ± 10 %. A key that AWS returns after its expiry
        is cached like any other: this machine's clock may be wrong, and OpenAI decides."""
        until = fetched_at + self.ttl * (1 + JITTER * (2 * chance - 1))
        return expires_at if fetched_at < expires_at < until else until

    def last_good_until(self, good_until: float, expires_at: float) -> float:
        """Until when a key is used while AWS fails. Unix seconds, like the arguments."""
        return min(good_until + self.stale_for, expires_at)


def pause_after(attempts: int, chance: float) -> float:
    """Seconds until the next call of AWS after `attempts` failures in a row (1 or more): doubling, ± 10 %."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 10)) * (1 + JITTER * (2 * chance - 1))


class CachedKey:
    """One tenant's entry. `warm` is read without the lock: a tuple is replaced in one step."""

    __slots__ = (
        "_failed_at",
        "_failure",
        "_failures",
        "_flight",
        "_lifetimes",
        "_lock",
        "_retry_at",
        "_unchanged",
        "warm",
    )

    def __init__(self, lifetimes: Lifetimes) -> None:
        self.warm: tuple[float, float, Key] | None = None
        """When it was fetched, until when it is fresh, the key."""
        self._lifetimes = lifetimes
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._failure: KeyReaderError | None = None
        self._failures = 0
        self._failed_at = 0.0
        self._retry_at = 0.0
        self._unchanged = 1

    def join(self, now: float, *, fresh: bool, rejected: Key | None) -> tuple[Flight, bool]:
        """The flight that answers, and whether this caller must fetch, then `complete` or `abandon` it."""
        with self._lock:
            if self.warm is not None and not self._wants_fetch(self.warm, now, fresh, rejected):
                return _completed(self.warm[2]), False
            if self._flight is not None:
                return self._flight, False
            if self._failure is not None and self._failed_at <= now < self._retry_at:
                return _completed(self._last_good(now) or self._failure), False
            self._flight = Future()
            # A running future can't be cancelled: one task that gives up must not take the others down.
            self._flight.set_running_or_notify_cancel()
            return self._flight, True

    def complete(self, flight: Flight, outcome: Outcome, began: float, now: float) -> None:
        """Gives `outcome` to all callers that wait for the flight. `began` and `now` in Unix seconds."""
        with self._lock:
            answer = self._keep(outcome, began) if isinstance(outcome, Key) else self._fail(outcome, now)
            self._flight = None
        flight.set_result(answer)

    def abandon(self, flight: Flight, error: Exception | None = None) -> None:
        """The fetch ended without outcome: by an unexpected `error`, which all callers get, or by a Ctrl-C for one
        thread, after which the others try again."""
        with self._lock:
            self._flight = None
        if error is None:
            flight.set_result(None)
        else:
            flight.set_exception(error)

    def is_idle(self, now: float) -> bool:
        """Whether this entry holds nothing and can be dropped."""
        with self._lock:
            return self._flight is None and now >= self._retry_at and self._last_good(now) is None

    def _wants_fetch(self, warm: tuple[float, float, Key], now: float, fresh: bool, rejected: Key | None) -> bool:
        fetched_at, good_until, key = warm
        if not fetched_at <= now < good_until:
            return True
        if rejected is not None and rejected.version_id != key.version_id:
            return False
        if not fresh and rejected is None:
            return False
        return now >= fetched_at + pause_after(self._unchanged, 0.5)

    def _keep(self, key: Key, began: float) -> Key:
        if self.warm is not None:
            asked_early = self.warm[0] <= began < self.warm[1]
            same = self.warm[2].version_id == key.version_id
            self._unchanged = self._unchanged + 1 if same and asked_early else 1
        self._failure, self._failures = None, 0
        self.warm = (began, self._lifetimes.good_until(began, _expiry(key), _chance()), key)
        return key

    def _fail(self, failure: KeyReaderError, now: float) -> Outcome:
        self._failure, self._failed_at = failure, now
        self._failures += 1
        self._retry_at = now + pause_after(self._failures, _chance())
        last_good = self._last_good(now) if failure.keeps_last_good else None
        if last_good is None:
            self.warm = None
            return failure
        _log.warning("using the last good key of tenant %s: %s", last_good.tenant, failure)
        return last_good

    def _last_good(self, now: float) -> Key | None:
        if self.warm is None:
            return None
        _, good_until, key = self.warm
        fresh_or_last = now < good_until or now < self._lifetimes.last_good_until(good_until, _expiry(key))
        return key if fresh_or_last else None


def _completed(outcome: Outcome) -> Flight:
    flight: Flight = Future()
    flight.set_result(outcome)
    return flight


def _expiry(key: Key) -> float:
    """Infinity for a customer's own key, whose expiry is unknown."""
    return key.expires_at.timestamp() if key.expires_at else math.inf


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load, guards nothing
