"""The cache's entry for one tenant's key, or a federated tenant's token: what a read is answered, and who fetches,
without AWS, threads or sleep. What is said of keys here holds for tokens.

Owns freshness, the refresh before a key's time is over, the last good key, the pause after failures, and that one fetch
answers all callers that wait. Leaves out the fetch itself and how callers wait (`reader`). Times are seconds on the
reader's wall clock: a monotonic clock stops while a machine or a Lambda sandbox sleeps, but keys age then. If the clock
was set back, a key counts as old.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from myflux_keys.access_token import WORDS, Credential, Token
from myflux_keys.errors import KeyReaderError, UnavailableError
from myflux_keys.lifetimes import Lifetimes, pause_after

Outcome = Credential | KeyReaderError

PATIENCE: Final = 0.9
"""Seconds that a read waits for AWS once the tenant's key has been read, so that its error comes within a second. AWS
answers in a tenth of that; an answer that comes later is for the next read."""
AWAY_FOR: Final = 60.0
"""Seconds after a late fetch during which nobody waits for AWS who can have the last good key, and after a failed one
of a key never read during which nobody waits longer than `PATIENCE`."""
LOST_AFTER: Final = 60.0
"""A fetch this old was frozen with its process, as between two calls of a Lambda function: the limits of its calls end
nearly each fetch before. The next caller fetches again."""

_log: Final = logging.getLogger("myflux_keys")


class Flight:
    """One fetch. `answer` is for all callers that wait; None: it was abandoned, try again."""

    __slots__ = ("answer", "asked", "began", "number", "told")

    def __init__(self, number: int, began: float, *, asked: bool) -> None:
        self.answer: Future[Outcome | None] = Future()
        # A running future can't be cancelled: one task that gives up must not take the others down.
        self.answer.set_running_or_notify_cancel()
        self.number = number
        self.began = began
        self.asked = asked
        """Whether a caller asked for it with `fresh` or `rejected`."""
        self.told = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The caller takes `outcome`. If there is a `refresh`, it first sees to it that this flight is fetched in the
    background."""

    outcome: Outcome
    refresh: Flight | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller waits for `flight`, at most `patience` seconds (None: as long as the fetch takes), then calls
    `give_up`. If `mine`, it first sees to it that the flight is fetched, and then completed or abandoned."""

    flight: Flight
    mine: bool
    patience: float | None


@dataclass(frozen=True, slots=True)
class _Held:
    """A key, and the number of the flight that brought it. A flight that began earlier does not replace it."""

    key: Credential
    number: int
    fetched_at: float
    refresh_at: float
    good_until: float
    last_until: float
    """Until when it is used while AWS fails."""


class CachedKey:
    """One tenant's entry. `warm` is read without the lock: a tuple is replaced in one step."""

    __slots__ = (
        "_failed_at",
        "_failure",
        "_failures",
        "_flight",
        "_flights",
        "_held",
        "_late_at",
        "_lifetimes",
        "_lock",
        "_retry_at",
        "_unchanged",
        "_was_read",
        "warm",
    )

    def __init__(self, lifetimes: Lifetimes) -> None:
        self.warm: tuple[float, float, Credential] | None = None
        """The key, and from when until when it is the answer without a look at anything else."""
        self._lifetimes = lifetimes
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._flight: Flight | None = None
        self._flights = 0
        self._failure: KeyReaderError | None = None
        self._failures = 0
        self._failed_at = 0.0
        self._late_at = -math.inf
        """When a fetch ended that took longer than callers wait. What it brought may be old by then."""
        self._retry_at = 0.0
        self._unchanged = 1
        self._was_read = False
        """Whether a fetch ever brought a key. From then on a read's error comes within a second, also without a key."""

    def join(self, now: float, *, fresh: bool, rejected: Credential | None) -> Answer | Wait:
        """What a caller does at `now` (Unix seconds)."""
        asked = fresh or rejected is not None
        with self._lock:
            held, flight = self._held, self._running(now)
            if held is not None and not self._wants_fetch(held, now, fresh, rejected):
                return self._ahead(held, flight, now)
            last_good = self._last_good(now)
            if flight is None and self._failure is not None and self._pausing(now):
                return Answer(last_good or self._failure)
            mine = flight is None
            flight = flight or self._start(now, asked=asked)
            age, away = now - flight.began, self._away(now)
            if not away and (asked or not self._was_read):
                return Wait(flight, mine, None)
            if last_good is None or asked:
                return Wait(flight, mine, PATIENCE)
            if not away and age < PATIENCE and not 0 <= now - self._late_at < AWAY_FOR:
                return Wait(flight, mine, PATIENCE - age)
            self._serve(flight.began + LOST_AFTER)
            return Answer(last_good, flight if mine else None)

    def complete(self, flight: Flight, outcome: Outcome, now: float) -> None:
        """Gives `outcome` to all callers that wait for the flight. `now` in Unix seconds."""
        with self._lock:
            if flight is self._flight:
                self._flight = None
                self._late_at = now if now - flight.began >= PATIENCE else -math.inf
                answer = (
                    self._keep(outcome, flight) if not isinstance(outcome, KeyReaderError) else self._fail(outcome, now)
                )
            elif not isinstance(outcome, KeyReaderError):
                answer = self._keep(outcome, flight)
            else:
                # It was frozen, and its failure says nothing of AWS now.
                answer = self._last_good(now) or outcome
        flight.answer.set_result(answer)

    def abandon(self, flight: Flight, error: Exception | None = None) -> None:
        """The fetch ended without outcome: by an unexpected `error`, which all callers get, or by a Ctrl-C for one
        thread, after which the others try again."""
        with self._lock:
            if flight is self._flight:
                # The next caller waits, and meets AWS or the error: as long as no fetch has an outcome, an earlier
                # failure would keep everybody on the last good key.
                self._flight = self._failure = None
        if error is None:
            flight.answer.set_result(None)
        else:
            flight.answer.set_exception(error)

    def give_up(self, flight: Flight, tenant: str, now: float) -> Outcome | None:
        """What a caller gets whose patience is over. The flight goes on, for later callers."""
        with self._lock:
            if flight.answer.done():
                return flight.answer.result()
            late = self._failure if self._failure is not None and self._away(now) else _late(tenant, self._held)
            last_good = self._last_good(now)
            if last_good is None:
                return late
            self._serve(flight.began + LOST_AFTER)
            told, flight.told = flight.told, True
        if not told:
            _tell(last_good, late)
        return last_good

    def is_idle(self, now: float) -> bool:
        """Whether this entry can be dropped: it holds nothing, and its key was never read or AWS refused it since. An
        entry of a key that was read stays, or its next read would wait as long as a first one."""
        with self._lock:
            if self._was_read and (self._failure is None or self._failure.keeps_last_good):
                return False
            return self._flight is None and now >= self._retry_at and self._last_good(now) is None

    def _running(self, now: float) -> Flight | None:
        flight = self._flight
        if flight is None or 0 <= now - flight.began < LOST_AFTER:
            return flight
        # What was known of AWS is as old as the fetch that was lost.
        self._flight = self._failure = None
        self._late_at = -math.inf
        return None

    def _start(self, now: float, *, asked: bool) -> Flight:
        self._flights += 1
        self._flight = Flight(self._flights, now, asked=asked)
        return self._flight

    def _ahead(self, held: _Held, flight: Flight | None, now: float) -> Answer:
        """A fresh key is the answer; near its end, one caller starts the fetch of the next."""
        refresh = None
        if now < held.refresh_at:
            self._serve(held.refresh_at)
        elif flight is None and self._pausing(now):
            self._serve(min(self._retry_at, held.good_until))
        else:
            self._serve(held.good_until)
            refresh = None if flight else self._start(now, asked=False)
        return Answer(held.key, refresh)

    def _serve(self, until: float) -> None:
        """The held key is the answer until then, within its bound."""
        if (held := self._held) is not None:
            self.warm = (held.fetched_at, min(until, max(held.good_until, held.last_until)), held.key)

    def _pausing(self, now: float) -> bool:
        return self._failure is not None and self._failed_at <= now < self._retry_at

    def _away(self, now: float) -> bool:
        """Whether the fetch before failed and AWS did not refuse. Of a key never read, this counts for `AWAY_FOR`."""
        failure = self._failure
        lately = self._was_read or 0 <= now - self._failed_at < AWAY_FOR
        return failure is not None and failure.keeps_last_good and lately

    def _wants_fetch(self, held: _Held, now: float, fresh: bool, rejected: Credential | None) -> bool:
        if not held.fetched_at <= now < held.good_until:
            return True
        if rejected is not None and rejected.version_id != held.key.version_id:
            return False
        if not fresh and rejected is None:
            return False
        return now >= held.fetched_at + pause_after(self._unchanged, 0.5)

    def _keep(self, key: Credential, flight: Flight) -> Credential:
        held, began = self._held, flight.began
        if held is not None:
            if flight.number < held.number:
                return held.key
            asked_early = flight.asked and held.fetched_at <= began < held.good_until
            # Each token is another; one that was asked for because its predecessor was refused is no news either.
            same = held.key.version_id == key.version_id or isinstance(key, Token)
            self._unchanged = self._unchanged + 1 if same and asked_early else 1
        self._failure, self._failures, self._was_read = None, 0, True
        times = self._lifetimes.of(began, key.expires_at, random.random())  # noqa: S311 - spreads load, guards nothing
        self._held = _Held(key, flight.number, began, *times)
        self._serve(self._held.refresh_at)
        return key

    def _fail(self, failure: KeyReaderError, now: float) -> Outcome:
        self._failure, self._failed_at = failure, now
        self._failures += 1
        self._retry_at = now + pause_after(self._failures, random.random())  # noqa: S311
        last_good = self._last_good(now) if failure.keeps_last_good else None
        if last_good is None:
            self._held = self.warm = None
            return failure
        self._serve(self._retry_at)
        _tell(last_good, failure)
        return last_good

    def _last_good(self, now: float) -> Credential | None:
        held = self._held
        return held.key if held is not None and now < max(held.good_until, held.last_until) else None


def _late(tenant: str, held: _Held | None) -> UnavailableError:
    if held is not None and isinstance(held.key, Token):
        return UnavailableError(
            f"AWS and OpenAI have not sent a token for tenant {tenant!r} within {PATIENCE} s",
            tenant=tenant,
            way_out="It is still asked for in the background: try again. If it repeats, check that this process can"
            " reach S3, STS and OpenAI.",
        )
    return UnavailableError(
        f"AWS has not sent the key of tenant {tenant!r} within {PATIENCE} s",
        tenant=tenant,
        way_out="The fetch continues in the background: try again. If it repeats, check that this process can reach"
        " Secrets Manager and STS.",
    )


def _tell(last_good: Credential, failure: KeyReaderError) -> None:
    _log.warning("using the last good %s of tenant %s: %s", WORDS[type(last_good)], last_good.tenant, failure)
