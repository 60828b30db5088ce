"""One fetch however many ask, in threads, in asyncio, after a fork, and no tenant waits for another."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from myflux_keys import Key, KeyReader, NotReadyError
from myflux_keys.key import parse_key
from tests.reader.conftest import Clock
from tests.reader.stand_in import GET, StandIn, key_text, payload_text

CALLERS = 1000


def all_at_once(callers: int, work: Callable[[], object]) -> list[object]:
    """Runs `work` in `callers` threads that start together; returns results, exceptions included."""
    gate = threading.Barrier(callers)
    results: list[object] = []

    def run() -> None:
        gate.wait()
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def small_stacks() -> object:
    before = threading.stack_size(256 * 1024)
    yield
    threading.stack_size(before)


@pytest.mark.usefixtures("small_stacks")
def test_a_thousand_threads_at_expiry_make_one_call(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    aws.put("acme", key_text("two"), "v2")
    aws.slow["acme"] = 0.2
    clock.advance(331)
    results = all_at_once(CALLERS, lambda: reader.get("acme"))
    assert len(results) == CALLERS
    assert {result.version_id for result in results if isinstance(result, Key)} == {"v2"}
    assert aws.calls[GET] == 2, "one before the expiry, one after"


@pytest.mark.usefixtures("small_stacks")
def test_a_thousand_threads_with_a_dead_key_make_one_call(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    dead = reader.get("acme")
    aws.put("acme", key_text("two"), "v2")
    aws.slow["acme"] = 0.2
    clock.advance(10)
    results = all_at_once(CALLERS, lambda: reader.get("acme", rejected=dead))
    assert [result.version_id for result in results if isinstance(result, Key)] == ["v2"] * CALLERS
    assert aws.calls[GET] == 2


def test_a_failure_reaches_every_thread_and_costs_one_call(reader: KeyReader, aws: StandIn) -> None:
    aws.put_text("acme", None)
    aws.slow["acme"] = 1.0
    results = all_at_once(50, lambda: reader.get("acme"))
    assert [type(result) for result in results] == [NotReadyError] * 50
    assert len({id(result) for result in results}) == 50, "a shared exception would pile up every caller's frames"
    assert aws.calls[GET] == 1


def test_a_thousand_tasks_at_expiry_make_one_call(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    async def main() -> set[str]:
        await reader.aget("acme")
        aws.put("acme", key_text("two"), "v2")
        aws.slow["acme"] = 0.2
        clock.advance(331)
        keys = await asyncio.gather(*(reader.aget("acme") for _ in range(CALLERS)))
        return {key.version_id for key in keys}

    assert asyncio.run(main()) == {"v2"}
    assert aws.calls[GET] == 2


def test_the_loop_runs_on_while_a_key_is_fetched(reader: KeyReader, aws: StandIn) -> None:
    aws.held["acme"] = released = threading.Event()

    async def main() -> Key:
        fetch = asyncio.ensure_future(reader.aget("acme"))
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not fetch.done(), "or the test shows nothing"
        released.set()
        return await fetch

    assert asyncio.run(main()).reveal() == key_text("acme")


def test_a_cancelled_task_leaves_the_fetch_to_the_others(reader: KeyReader, aws: StandIn) -> None:
    aws.held["acme"] = released = threading.Event()

    async def main() -> str:
        first, second = (asyncio.ensure_future(reader.aget("acme")) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0)
        released.set()
        key = await second
        assert first.cancelled()
        return key.reveal()

    assert asyncio.run(main()) == key_text("acme")
    assert aws.calls[GET] == 1


def test_tenants_that_hang_hold_up_nobody_else(reader: KeyReader, aws: StandIn) -> None:
    released = threading.Event()
    hanging = [f"hanging-{number}" for number in range(34)]
    for tenant in hanging:
        aws.put(tenant, key_text(tenant))
        aws.held[tenant] = released

    async def main() -> Key:
        others = [asyncio.ensure_future(reader.aget(tenant)) for tenant in hanging]
        await asyncio.sleep(0.1)
        try:
            return await asyncio.wait_for(reader.aget("acme"), 60)
        finally:
            assert not any(other.done() for other in others), "or the test shows nothing"
            released.set()
            await asyncio.gather(*others)

    assert asyncio.run(main()).tenant == "acme", "34 hanging tenants fill any shared pool"


def test_a_thread_that_hangs_on_one_tenant_holds_up_no_other(reader: KeyReader, aws: StandIn) -> None:
    aws.put("hanging", key_text("hanging"))
    aws.held["hanging"] = released = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(reader.get, "hanging")
        time.sleep(0.1)
        try:
            assert pool.submit(reader.get, "acme").result(60).tenant == "acme"
            assert not waiting.done(), "or the test shows nothing"
        finally:
            released.set()
        assert waiting.result(60).tenant == "hanging"


def test_an_unexpected_error_reaches_whoever_waits_and_is_not_kept(
    reader: KeyReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reader._source, "read", lambda tenant: {}[tenant])
        with pytest.raises(KeyError):
            reader.get("acme")
        with pytest.raises(KeyError):
            asyncio.run(reader.aget("acme"))
    assert reader.get("acme").reveal() == key_text("acme")


def test_an_interrupted_fetch_is_taken_over_by_whoever_waits(
    reader: KeyReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, interrupt, calls = threading.Event(), threading.Event(), iter([True, False])
    key = parse_key(payload_text("acme", key_text("acme")), "acme", "v1")

    def read(tenant: str) -> object:
        if not next(calls):
            return key
        entered.set()
        interrupt.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(reader._source, "read", read)
    outcomes: dict[str, object] = {}

    def lead() -> None:
        try:
            reader.get("acme")
        except KeyboardInterrupt:
            outcomes["leader"] = "interrupted"

    leader = threading.Thread(target=lead)
    leader.start()
    entered.wait(60)
    follower = threading.Thread(target=lambda: outcomes.update(follower=reader.get("acme")))
    follower.start()
    interrupt.set()
    leader.join()
    follower.join()
    assert outcomes == {"leader": "interrupted", "follower": key}


def test_a_forked_process_reads_for_itself(reader: KeyReader, aws: StandIn) -> None:
    reader.get("acme")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            reader._entry("acme").join(0.0, fresh=False, rejected=None)
            os.write(writing, str(len(reader._entries["acme"].warm or ())).encode())
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    answer = os.read(reading, 10)
    os.close(reading)
    os.close(writing)
    assert (status, answer) == (0, b"0"), "fetches and locks of the parent's threads don't exist in the child"
