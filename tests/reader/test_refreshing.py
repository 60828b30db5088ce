"""Nobody waits for AWS who can have a key: the refresh before its time is over, outages, frozen and missing threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from myflux_keys import AccessDeniedError, Key, KeyReader, UnavailableError
from myflux_keys.cached_key import LOST_AFTER, PATIENCE, Answer, CachedKey, Flight, Wait
from myflux_keys.key import parse_key
from myflux_keys.lifetimes import Lifetimes
from tests.reader.conftest import Clock, wait_for_fetches
from tests.reader.stand_in import GET, Fault, StandIn, key_text, payload_text
from tests.reader.test_many_callers import all_at_once

MakeReader = Callable[..., KeyReader]
Get = Callable[[str], Key]
OUTAGE = Fault(500)
DENIED = Fault(400, "AccessDeniedException", "explicit deny in a resource-based policy")
NEAR_THE_END = 275
"""Seconds: after 80 % of every time that jitter makes of 300 s, before its end. The tests fix the jitter."""


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("myflux_keys.lifetimes.JITTER", 0.0)


@pytest.fixture
def hurried(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers wait no longer than they really do."""
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", PATIENCE)


@pytest.fixture
def held(aws: StandIn) -> Iterator[threading.Event]:
    """AWS accepts calls for acme's secret and does not answer them; the test may release them."""
    released = threading.Event()

    def hold() -> threading.Event:
        aws.held["acme"] = released
        return released

    yield hold()
    released.set()


@pytest.fixture(params=["threads", "asyncio"])
def get(request: pytest.FixtureRequest, reader: KeyReader) -> Get:
    if request.param == "threads":
        return reader.get
    return lambda tenant: asyncio.run(reader.aget(tenant))


def read_first(reader: KeyReader, aws: StandIn) -> Key:
    """acme's key, read before AWS stops answering."""
    released = aws.held.pop("acme", None)
    key = reader.get("acme")
    if released is not None:
        aws.held["acme"] = released
    return key


def rotate(aws: StandIn, version: str = "v2") -> None:
    aws.put("acme", key_text(version), version)


def test_near_its_end_a_read_starts_one_refresh_and_nobody_waits(
    get: Get, reader: KeyReader, aws: StandIn, clock: Clock, held: threading.Event
) -> None:
    first = read_first(reader, aws)
    rotate(aws)
    clock.advance(239)
    assert get("acme") is first
    assert aws.calls[GET] == 1, "before 80 % nothing is fetched"
    clock.advance(2)
    for _ in range(50):
        assert get("acme") is first, "AWS does not answer, and the read does not wait"
    held.set()
    wait_for_fetches()
    assert get("acme").version_id == "v2"
    assert aws.calls[GET] == 2


def test_the_time_of_a_key_begins_when_its_fetch_begins(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    clock.advance(NEAR_THE_END)
    reader.get("acme")
    wait_for_fetches()
    clock.advance(239)
    reader.get("acme")
    wait_for_fetches()
    assert aws.calls[GET] == 2, "refreshed at 275 s, so next at 515 s"


def test_threads_near_the_end_make_one_call(
    reader: KeyReader, aws: StandIn, clock: Clock, held: threading.Event
) -> None:
    first = read_first(reader, aws)
    clock.advance(NEAR_THE_END)
    assert set(all_at_once(100, lambda: reader.get("acme"))) == {first}
    held.set()
    wait_for_fetches()
    assert aws.calls[GET] == 2


def test_a_refusal_in_the_background_drops_the_key(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    aws.faults[GET] = DENIED
    clock.advance(NEAR_THE_END)
    reader.get("acme")
    wait_for_fetches()
    with pytest.raises(AccessDeniedError):
        reader.get("acme")


def test_in_an_outage_the_last_good_key_is_there_at_once_and_then_one_error(
    make_reader: MakeReader, get: Get, aws: StandIn, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A read a second, as of a busy tenant: AWS is never waited for, also where the outage began after the last read
    of AWS, and it is not hammered."""
    reader = make_reader(ttl=300, stale_for=600)
    key = reader.get("acme")
    aws.faults[GET] = OUTAGE
    for _ in range(898):
        clock.advance(1)
        assert reader.get("acme") is key
    wait_for_fetches()
    assert 10 <= aws.calls[GET] <= 80, "600 s of failures, with pauses up to 15 s"
    assert "using the last good key of tenant acme" in caplog.text
    clock.advance(3)
    for _ in range(5):
        with pytest.raises(UnavailableError, match="an internal error"):
            reader.get("acme")
        clock.advance(20)
    del aws.faults[GET]
    clock.advance(20)
    assert reader.get("acme").reveal() == key.reveal()


@pytest.mark.usefixtures("hurried")
def test_when_aws_does_not_answer_the_last_good_key_is_there_within_a_second(
    get: Get, reader: KeyReader, aws: StandIn, clock: Clock, held: threading.Event
) -> None:
    """A tenant that nobody called for a while: only its first caller waits, and no longer."""
    key = read_first(reader, aws)
    clock.advance(400)
    began = time.monotonic()
    assert get("acme") is key
    assert time.monotonic() - began >= PATIENCE * 0.9, "or the test shows nothing"
    clock.advance(PATIENCE)
    for _ in range(50):
        assert get("acme") is key
    assert aws.calls[GET] == 2, "one fetch, which goes on"
    rotate(aws)
    held.set()
    wait_for_fetches()
    clock.advance(-PATIENCE)
    assert get("acme").version_id == "v2"


@pytest.mark.usefixtures("hurried")
def test_beyond_its_bound_a_read_that_aws_does_not_answer_is_one_error_within_a_second(
    get: Get, reader: KeyReader, aws: StandIn, clock: Clock, held: threading.Event
) -> None:
    """The read was held by AWS all the time: that it ended shows that the reader ended it."""
    read_first(reader, aws)
    clock.advance(4000)
    with pytest.raises(UnavailableError, match=r"has not sent the key of tenant 'acme' within 0\.9 s"):
        get("acme")
    held.set()
    wait_for_fetches()
    assert get("acme").tenant == "acme", "the fetch went on for the next caller"
    assert aws.calls[GET] == 2


def test_the_bound_of_a_wait_is_below_a_second() -> None:
    assert PATIENCE < 1


@pytest.mark.usefixtures("hurried")
def test_a_key_never_read_is_waited_for(reader: KeyReader, aws: StandIn) -> None:
    """There is nothing else to give."""
    aws.slow["acme"] = PATIENCE + 0.3
    assert reader.get("acme").tenant == "acme"


def test_a_fetch_that_froze_with_its_process_is_not_waited_for(
    get: Get, reader: KeyReader, aws: StandIn, clock: Clock, held: threading.Event
) -> None:
    """A Lambda function: its handler returned while the refresh ran, and the next call comes much later."""
    read_first(reader, aws)
    clock.advance(NEAR_THE_END)
    get("acme")
    while aws.calls[GET] < 2:
        time.sleep(0.01)
    clock.advance(1800)
    rotate(aws)
    del aws.held["acme"]
    assert get("acme").version_id == "v2", "fetched again, though the frozen fetch has not ended"
    rotate(aws, "v3")
    held.set()
    wait_for_fetches()
    assert reader.get("acme").version_id == "v2", "what the older fetch brings does not replace a newer key"


def test_a_frozen_process_serves_no_key_beyond_its_bound(make_reader: MakeReader, aws: StandIn, clock: Clock) -> None:
    """The thread does not run at all between two calls: each of them finds an old key and fetches."""
    reader = make_reader(ttl=300, stale_for=0)
    for version in ("v2", "v3", "v4"):
        reader.get("acme")
        rotate(aws, version)
        clock.advance(1000)
        assert reader.get("acme").version_id == version


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader can start none."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("myflux-keys-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.usefixtures("no_threads")
def test_without_threads_a_read_fetches_by_itself(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    first = reader.get("acme")
    clock.advance(NEAR_THE_END)
    rotate(aws)
    assert reader.get("acme") is first
    clock.advance(60)
    assert reader.get("acme").version_id == "v2"
    clock.advance(400)
    aws.faults[GET] = OUTAGE
    assert reader.get("acme").version_id == "v2"
    del aws.faults[GET]
    rotate(aws, "v3")
    clock.advance(20)
    assert reader.get("acme").version_id == "v2"
    wait_for_fetches()
    clock.advance(61)
    assert reader.get("acme").version_id == "v3", "or the end of an outage would not be seen"


@pytest.mark.usefixtures("no_threads")
def test_without_threads_asyncio_gets_one_error(reader: KeyReader) -> None:
    with pytest.raises(UnavailableError, match="no thread can be started"):
        asyncio.run(reader.aget("acme"))


class Entry:
    """A tenant's entry on a clock that the test moves, without threads: what each caller is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ttl: float = 300) -> None:
        monkeypatch.setattr("myflux_keys.lifetimes.JITTER", 0.0)
        self.entry = CachedKey(Lifetimes(ttl, 600))
        self.now = 1_700_000_000.0

    def join(self, after: float = 0.0, *, fresh: bool = False) -> Answer | Wait:
        self.now += after
        return self.entry.join(self.now, fresh=fresh, rejected=None)

    def flight(self, after: float = 0.0, *, fresh: bool = False) -> Flight:
        step = self.join(after, fresh=fresh)
        flight = step.flight if isinstance(step, Wait) else step.refresh
        assert flight is not None
        return flight

    def ends(self, flight: Flight, outcome: Any) -> None:
        self.entry.complete(flight, outcome, self.now)


def key(version: str) -> Key:
    made = parse_key(payload_text("acme", key_text(version)), "acme", version)
    assert isinstance(made, Key)
    return made


def test_a_caller_waits_only_where_nothing_better_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Entry(monkeypatch)
    cold = it.join()
    assert isinstance(cold, Wait)
    assert (cold.mine, cold.patience) == (True, None), "the first key: as long as it takes"
    it.ends(cold.flight, key("v1"))
    expired = it.join(400)
    assert isinstance(expired, Wait)
    assert (expired.mine, expired.patience) == (True, PATIENCE)
    joined = it.join(0.5)
    assert isinstance(joined, Wait)
    assert (joined.mine, joined.patience) == (False, pytest.approx(PATIENCE - 0.5))
    late = it.join(0.5)
    assert isinstance(late, Answer), "AWS is late, so nobody waits for it any more"
    it.ends(expired.flight, UnavailableError("no", tenant="acme"))
    known = it.join(20)
    assert isinstance(known, Answer), "AWS failed lately"
    assert known.refresh is not None
    it.ends(known.refresh, UnavailableError("no", tenant="acme"))
    much_later = it.join(400)
    assert isinstance(much_later, Answer), "AWS has not answered since"
    assert much_later.refresh is not None, "and is asked again"


def test_a_lost_fetch_ends_what_was_known_of_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Entry(monkeypatch)
    it.ends(it.flight(), key("v1"))
    it.ends(it.flight(280), UnavailableError("no", tenant="acme"))
    lost = it.flight(5)
    again = it.join(LOST_AFTER + 1)
    assert isinstance(again, Wait)
    assert again.mine, "the frozen fetch is not waited for, and the failure before it says nothing of AWS now"
    it.ends(lost, UnavailableError("its socket died", tenant="acme"))
    it.ends(again.flight, key("v2"))
    answer = it.join(1)
    assert isinstance(answer, Answer)
    assert isinstance(answer.outcome, Key)
    assert answer.outcome.version_id == "v2"


def test_a_refresh_does_not_slow_down_who_asks_for_a_fresh_key(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Entry(monkeypatch)
    it.ends(it.flight(), key("v1"))
    it.ends(it.flight(270), key("v1"))
    assert isinstance(it.join(1.1, fresh=True), Wait), "one second after a refresh that changed nothing"


def test_a_key_that_comes_so_late_that_it_is_old_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of an outage: the last attempt of a fetch succeeds after more than the key's time."""
    it = Entry(monkeypatch, ttl=10)
    it.ends(it.flight(), key("v1"))
    slow = it.flight(9)
    it.now += 10.5
    it.ends(slow, key("v2"))
    next_read = it.join()
    assert isinstance(next_read, Answer)
    assert isinstance(next_read.outcome, Key)
    assert next_read.outcome.version_id == "v2"
    assert next_read.refresh is not None
    it.ends(next_read.refresh, key("v2"))
    assert isinstance(it.join(11), Wait), "AWS is quick again"
