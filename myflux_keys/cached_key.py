"""What is known of one tenant's key, and who fetches it: the decisions of the cache, without AWS, threads or sleep.

Owns freshness, the last good key, the pause after failures, and that one fetch answers everybody who waits. Leaves out
the fetch itself and how callers wait (`reader`). Times are seconds on the reader's clock, which follows the wall, not
a monotonic counter: those stand still while a machine or a Lambda sandbox sleeps, and keys age meanwhile. A clock that
was set back makes a key look old, never young.
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
"""One fetch, or an answer at hand. None says that the fetch was abandoned: ask again."""

JITTER: Final = 0.1
MAX_TTL: Final = 1800.0
"""Half of one hour, the shortest overlap a tenant file can state: the other half is for the longest call that began
with the old key just before a cache let go of it."""
MAX_STALE_FOR: Final = 86_400.0
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0

_log: Final = logging.getLogger("myflux_keys")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """`ttl`: seconds a key is served without asking. `stale_for`: seconds beyond that while AWS fails."""

    ttl: float = 300.0
    stale_for: float = 3600.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.ttl <= MAX_TTL / (1 + JITTER):
            raise ValueError(
                f"ttl {self.ttl!r} s is not between 1 and {MAX_TTL / (1 + JITTER):.0f}: with its jitter it must stay"
                " within half of the shortest overlap, one hour, or rotations break calls"
            )
        if not 0.0 <= self.stale_for <= MAX_STALE_FOR:
            raise ValueError(f"stale_for {self.stale_for!r} s is not between 0 and {MAX_STALE_FOR:.0f}")

    def good_until(self, fetched_at: float, expires_at: float, chance: float) -> float:
        """`chance` in 0..1 spreads processes that started together over ± 10 %. A key that AWS still gives out after
        its expiry is kept as long as any other: this machine's clock may be wrong, and OpenAI is the judge."""
        until = fetched_at + self.ttl * (1 + JITTER * (2 * chance - 1))
        return expires_at if fetched_at < expires_at < until else until

    def last_good_until(self, good_until: float, expires_at: float) -> float:
        """Until when a key serves while AWS is out of reach. Unix seconds, as its arguments."""
        return min(good_until + self.stale_for, expires_at)


def pause_after(attempts: int, chance: float) -> float:
    """Seconds until AWS is asked again after `attempts` (1 or more) in a row brought nothing: doubling, ± 10 %."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempts - 1, 10)) * (1 + JITTER * (2 * chance - 1))


class CachedKey:
    """One tenant's entry. `warm` is read without the lock: a tuple is replaced whole."""

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

    def board(self, now: float, *, fresh: bool, rejected: Key | None) -> tuple[Flight, bool]:
        """The flight that answers, and whether the caller is the one who must fetch and `land` or `abandon` it."""
        with self._lock:
            if self.warm is not None and not self._wants_fetch(self.warm, now, fresh, rejected):
                return _landed(self.warm[2]), False
            if self._flight is not None:
                return self._flight, False
            if self._failure is not None and self._failed_at <= now < self._retry_at:
                return _landed(self._last_good(now) or self._failure), False
            self._flight = Future()
            # A running future can't be cancelled: one task that gives up must not take the others down.
            self._flight.set_running_or_notify_cancel()
            return self._flight, True

    def land(self, flight: Flight, outcome: Outcome, began: float, now: float) -> None:
        """Gives `outcome` to all who wait for the flight. `began` and `now` in Unix seconds."""
        with self._lock:
            answer = self._keep(outcome, began) if isinstance(outcome, Key) else self._fail(outcome, now)
            self._flight = None
        flight.set_result(answer)

    def abandon(self, flight: Flight, error: Exception | None = None) -> None:
        """The fetch ended without outcome: by an unexpected `error`, which everybody gets, or by a Ctrl-C meant for one
        thread, after which the others ask again."""
        with self._lock:
            self._flight = None
        if error is None:
            flight.set_result(None)
        else:
            flight.set_exception(error)

    def is_idle(self, now: float) -> bool:
        """Whether nothing is lost when this entry is dropped."""
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
        self.warm = (began, self._lifetimes.good_until(began, _death(key), _chance()), key)
        return key

    def _fail(self, failure: KeyReaderError, now: float) -> Outcome:
        self._failure, self._failed_at = failure, now
        self._failures += 1
        self._retry_at = now + pause_after(self._failures, _chance())
        last_good = self._last_good(now) if failure.keeps_last_good else None
        if last_good is None:
            self.warm = None
            return failure
        _log.warning("serving the last good key of tenant %s: %s", last_good.tenant, failure)
        return last_good

    def _last_good(self, now: float) -> Key | None:
        if self.warm is None:
            return None
        _, good_until, key = self.warm
        fresh_or_last = now < good_until or now < self._lifetimes.last_good_until(good_until, _death(key))
        return key if fresh_or_last else None


def _landed(outcome: Outcome) -> Flight:
    flight: Flight = Future()
    flight.set_result(outcome)
    return flight


def _death(key: Key) -> float:
    """A customer's own key has no expiry that we know of."""
    return key.expires_at.timestamp() if key.expires_at else math.inf


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load, guards nothing
