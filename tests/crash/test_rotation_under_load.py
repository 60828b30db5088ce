"""Readers with caches call the model all through 50 rotations that go wrong in every way: no call fails.

The clock is moved past the overlap after each rotation, so an old key is dead when the next rotation begins: a reader
that held on to one would be refused. The clock moves only after every reader has let its cache go once, since the
overlap's promise is to readers whose cache is shorter than it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIHTTP
from myflux_keys.reader import KeyReader
from tests.crash.faults import FAULTS
from tests.crash.stage import CELL, MODEL, Stage
from tests.crash.tenant import OVERLAP_HOURS, Tenant

ROTATIONS = 50
READERS = 4
SEED = 20261122
TTL = 1.0
SPEED = 10
"""The readers' own clocks run faster than the machine's, so that the shortest cache they take is over in 100 ms. They
do not follow the cell's clock, whose jumps would empty every cache just when it matters."""
PAUSE = 0.03


@dataclass
class Polling:
    """One reader's thread. `rounds` counts model calls that were answered, each with a key from the reader."""

    tenant: Tenant
    reader: KeyReader
    rounds: int = 0
    failures: list[str] = field(default_factory=list[str])
    keys: set[str] = field(default_factory=set[str])

    def run(self, ended: threading.Event) -> None:
        http = OpenAIHTTP(self.tenant.stage.openai_url, Deadline(3600))
        body = {"model": MODEL, "input": "hello"}
        while not ended.wait(PAUSE):
            try:
                key = self.reader.get(self.tenant.slug)
                http.send("POST", "/responses", key.api_key, body=body)
            except Exception as error:  # noqa: BLE001 - any failure is the finding
                self.failures.append(f"{type(error).__name__}: {error}")
            else:
                self.keys.add(key.key_id)
            self.rounds += 1


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy test machine answers later than AWS: readers without a last good key wait for it."""
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", 60.0)


def _faster() -> Callable[[], float]:
    began = time.time()
    return lambda: began + (time.time() - began) * SPEED


@contextmanager
def _polling(tenant: Tenant, clock: Callable[[], float]) -> Generator[list[Polling]]:
    ended = threading.Event()
    client = tenant.stage.client("secretsmanager")
    readers = [
        KeyReader(CELL, assume=False, secretsmanager=client, ttl=TTL, stale_for=0, clock=clock) for _ in range(READERS)
    ]
    polls = [Polling(tenant, reader) for reader in readers]
    threads = [threading.Thread(target=poll.run, args=(ended,)) for poll in polls]
    for thread in threads:
        thread.start()
    try:
        yield polls
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for reader in readers:
            reader.close()


def _until_all_let_go(polls: list[Polling]) -> None:
    """Returns when each reader has begun and ended a call after its cache had run out."""
    time.sleep(TTL * 1.2 / SPEED)
    _until_all_called(polls)


def _until_all_called(polls: list[Polling]) -> None:
    """Returns when each reader has begun and ended a call."""
    before = [poll.rounds for poll in polls]
    end = time.monotonic() + 60
    while any(poll.rounds < old + 2 for poll, old in zip(polls, before, strict=True)):
        assert time.monotonic() < end, "the readers go on polling"
        time.sleep(PAUSE)


def _poll_through(stage: Stage, tenant: Tenant, rotations: int, judge: Callable[[str], None]) -> list[Polling]:
    """Rotates with a fault at a random call each time, and moves the clock past the overlap after each."""
    dice = random.Random(SEED)
    assert tenant.rotate() == [], "the first key"
    with _polling(tenant, _faster()) as polls:
        for number in range(rotations):
            fault = dice.choice(FAULTS)
            stage.script.begin(dice.randrange(15), fault)
            tenant.rotate()
            stage.script.end()
            judge(f"rotation {number}, {fault.name} at {stage.script.struck}")
            _until_all_let_go(polls)
            stage.advance(OVERLAP_HOURS * 3600 + 60)
    return polls


@pytest.mark.cell
def test_no_model_call_fails_through_fifty_rotations_with_faults(stage: Stage) -> None:
    tenant, repeats, struck = Tenant(stage), list[str](), list[str]()

    def judge(told: str) -> None:
        repeats.extend(stage.function.failures)
        struck.extend(told for _ in stage.script.struck[:1])
        assert tenant.broken() == [], told

    polls = _poll_through(stage, tenant, ROTATIONS, judge)
    assert not [failure for poll in polls for failure in poll.failures]
    assert all(len(poll.keys) >= ROTATIONS for poll in polls), "each reader came to use each rotation's key"
    assert len(struck) > ROTATIONS * 0.8, "nearly every rotation was struck"
    assert len(repeats) > ROTATIONS * 0.25, "and many had to be begun again"
    current = tenant.current()
    assert current is not None
    assert set(tenant.lives()) == {current.key_id}, "every old key is dead"


@pytest.mark.cell
def test_model_calls_fail_where_the_old_key_is_revoked_at_once(stage: Stage) -> None:
    """What the test above would show if the overlap were not kept.

    The readers' clock stands still, so each of them still holds the old key when it calls again, however busy the
    machine is.
    """
    tenant, now = Tenant(stage), time.time()
    with stage.function.mistaken("revokes the old key"):
        assert tenant.rotate() == [], "the first key"
        with _polling(tenant, lambda: now) as polls:
            _until_all_called(polls)
            assert not [failure for poll in polls for failure in poll.failures], "the first key answers"
            assert tenant.rotate() == [], "the second key"
            _until_all_called(polls)
    assert all(any("401" in failure for failure in poll.failures) for poll in polls)
