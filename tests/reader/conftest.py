"""A stand-in AWS and OpenAI, a clock that tests move, and readers and clients on them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import ExitStack
from typing import Any
from weakref import WeakSet

import boto3
import httpx2
import openai
import pytest
from botocore.config import Config

from myflux_keys import KeyReader
from myflux_keys.tenant_sessions import CALL_LIMITS
from tests.reader.openai_stand_in import OpenAI
from tests.reader.stand_in import StandIn, key_text


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        import time

        self.now = time.time()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


_made: WeakSet[KeyReader] = WeakSet()


def wait_for_fetches() -> None:
    """Until no fetch runs in the background, also one whose thread has not begun."""
    entries = [entry for reader in _made for entry in list(reader._entries.values())]
    wait([flight.answer for entry in entries if (flight := entry._flight) is not None])
    for thread in threading.enumerate():
        if thread.name.startswith("myflux-keys-"):
            thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Holds tenant acme's key. The process has an access key of its own and finds AWS as any process would."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA" + "0" * 16)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 40)
    with StandIn() as stand_in:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stand_in.url)
        stand_in.put("acme", key_text("acme"))
        yield stand_in


@pytest.fixture
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt a call: botocore's pauses between attempts are real seconds."""
    once = CALL_LIMITS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    monkeypatch.setattr("myflux_keys.tenant_sessions.CALL_LIMITS", once)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read waits for AWS as long as it takes: on a busy machine the stand-in may be slow, too."""
    monkeypatch.setattr("myflux_keys.cached_key.PATIENCE", 600.0)


@pytest.fixture
def make_reader(aws: StandIn, clock: Clock, no_retries: None, patient: None) -> Iterator[Callable[..., KeyReader]]:
    with ExitStack() as stack:

        def make(**options: Any) -> KeyReader:
            options.setdefault("session", boto3.Session(region_name="eu-central-1"))
            reader = stack.enter_context(KeyReader("cell", clock=clock, **options))
            _made.add(reader)
            return reader

        yield make
        wait_for_fetches()


@pytest.fixture
def reader(make_reader: Callable[..., KeyReader]) -> KeyReader:
    return make_reader()


@pytest.fixture
def api() -> OpenAI:
    return OpenAI(key_text("acme"))


@pytest.fixture
def network(api: OpenAI) -> Iterator[httpx2.Client]:
    def handle(request: httpx2.Request) -> httpx2.Response:
        request.read()
        return api(request)

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as client:
        yield client


@pytest.fixture
def client(reader: KeyReader, network: httpx2.Client) -> Iterator[openai.OpenAI]:
    with reader.openai_client("acme", http_client=network, max_retries=0) as client:
        yield client
