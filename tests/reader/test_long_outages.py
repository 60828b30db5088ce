"""An outage of hours, read now and then: one read waits for AWS, the others do not, and what was known is not lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from myflux_keys import AccessDeniedError, KeyReader, SecretNotFoundError, UnavailableError
from myflux_keys.cached_key import AWAY_FOR, LOST_AFTER, PATIENCE, Answer, CachedKey, Wait
from tests.reader.conftest import Clock, wait_for_fetches
from tests.reader.stand_in import GET, Fault, StandIn, key_text, payload_text
from tests.reader.test_refreshing import Entry, key

MakeReader = Callable[..., KeyReader]
SELDOM = 90
"""Seconds between two reads: more than a failure of a key never read is remembered."""
FAILED = UnavailableError("no", tenant="acme")


class Unreachable:
    """A client of Secrets Manager that answers once. Then each call hangs until `time_out`, unless AWS is `back`."""

    def __init__(self) -> None:
        self.calls = 0
        self.back = False
        self._timed_out = threading.Event()

    def get_secret_value(self, **_: str) -> dict[str, Any]:
        self.calls += 1
        if self.calls > 1 and not self.back:
            self._timed_out.wait(5)
            raise ConnectTimeoutError(endpoint_url="https://secretsmanager.example")
        return {"VersionId": "v1", "SecretString": payload_text("acme", key_text("acme"))}

    def time_out(self) -> None:
        self._timed_out.set()
        wait_for_fetches()
        self._timed_out.clear()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Answer | Wait]:
    """What each read was told to do."""
    told: list[Answer | Wait] = []
    join = CachedKey.join

    def joined(entry: CachedKey, *args: Any, **options: Any) -> Answer | Wait:
        told.append(join(entry, *args, **options))
        return told[-1]

    monkeypatch.setattr(CachedKey, "join", joined)
    return told


@pytest.mark.parametrize("how", ["threads", "asyncio"])
def test_in_a_long_outage_one_read_waits_and_each_error_comes_within_the_bound_of_a_wait(
    make_reader: MakeReader,
    clock: Clock,
    steps: list[Answer | Wait],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    aws = Unreachable()
    reader = make_reader(assume=False, secretsmanager=aws, stale_for=600)

    def get() -> Any:
        return reader.get("acme") if how == "threads" else asyncio.run(reader.aget("acme"))

    first = get()
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", 0.2)
    clock.advance(400)
    assert get() is first
    assert isinstance(steps[-1], Wait), "nothing was known of the outage"
    aws.time_out()
    for _ in range(3):
        clock.advance(SELDOM)
        assert get() is first
        assert isinstance(steps[-1], Answer), "at once: AWS has not answered since"
        aws.time_out()
    assert aws.calls == 5, "each read fetched"
    clock.advance(900)
    for _ in range(3):
        clock.advance(SELDOM)
        with pytest.raises(UnavailableError):
            get()
        step = steps[-1]
        assert isinstance(step, Wait)
        assert not step.flight.answer.done(), "the error came before the fetch ended"
        aws.time_out()
    assert aws.calls == 8
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", 60.0)
    aws.back = True
    clock.advance(SELDOM)
    assert get().reveal() == first.reveal()


def test_a_key_that_was_read_once_is_never_waited_for_as_a_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound the key is gone: after a failure, after a fetch that froze, and after AWS refused."""
    for failure in (FAILED, AccessDeniedError("disabled", tenant="acme")):
        it = Entry(monkeypatch)
        it.ends(it.flight(), key("v1"))
        it.ends(it.flight(4000), failure)
        for _ in range(2):
            step = it.join(LOST_AFTER + SELDOM)
            assert isinstance(step, Wait)
            assert (step.mine, step.patience) == (True, PATIENCE)


def test_who_asks_for_a_fresh_key_waits_for_it_once_aws_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Entry(monkeypatch)
    it.ends(it.flight(), key("v1"))
    it.ends(it.flight(400), FAILED)
    away = it.join(SELDOM, fresh=True)
    assert isinstance(away, Wait)
    assert away.patience == PATIENCE
    it.ends(away.flight, key("v1"))
    back = it.join(SELDOM, fresh=True)
    assert isinstance(back, Wait)
    assert back.patience is None


def test_a_key_never_read_is_waited_for_again_a_minute_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Entry(monkeypatch)
    it.ends(it.flight(), FAILED)
    soon = it.join(AWAY_FOR - 1)
    assert isinstance(soon, Wait)
    assert soon.patience == PATIENCE
    it.ends(soon.flight, FAILED)
    later = it.join(AWAY_FOR + 1)
    assert isinstance(later, Wait)
    assert later.patience is None


def test_a_fetch_that_ends_without_outcome_ends_what_was_known_of_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an unexpected error would reach nobody as long as there is a last good key."""
    it = Entry(monkeypatch)
    it.ends(it.flight(), key("v1"))
    it.ends(it.flight(400), FAILED)
    it.entry.abandon(it.flight(SELDOM), RuntimeError("a defect"))
    assert isinstance(it.join(1), Wait)


def test_a_tenant_that_was_read_is_dropped_only_after_aws_refused(
    make_reader: MakeReader, aws: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a new entry its next read would wait as long as the first."""
    monkeypatch.setattr("myflux_keys.reader.MOST_ENTRIES", 2)
    reader = make_reader(stale_for=600)
    aws.put("globex", key_text("globex"))
    reader.get("acme")
    reader.get("globex")
    clock.advance(4000)
    aws.faults[GET] = Fault(500)
    with pytest.raises(UnavailableError):
        reader.get("acme")
    aws.faults[GET] = Fault(400, "AccessDeniedException", "explicit deny in a resource-based policy")
    with pytest.raises(AccessDeniedError):
        reader.get("globex")
    del aws.faults[GET]
    clock.advance(SELDOM)
    with pytest.raises(SecretNotFoundError):
        reader.get("nobody")
    assert set(reader._entries) == {"acme", "nobody"}
