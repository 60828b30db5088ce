"""How many calls AWS receives when 1,000 threads request one key at the moment it expires.

All threads start at a barrier, and the server responds with a delay, as over a network. Calls are counted at the
server, separately for each candidate; time is not measured. `run()` returns rows; `python -m bench.thundering_herd`
prints them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_secretsmanager_caching import SecretCache, SecretCacheConfig

from bench.reader import SECRET, VERSION, Row, client_of, show
from myflux_keys import KeyReader
from tests.reader.stand_in import StandIn, key_text

THREADS = 1000
ANSWER_SECONDS = 0.05
LIFE = 4
"""Seconds for which a peer caches a value. A peer's clock cannot be changed, and all threads must finish before the
next expiry."""
GOAL = 1


@contextmanager
def ours(client: Any) -> Generator[tuple[Callable[[], object], Callable[[], None]]]:
    moved = [0.0]

    def clock() -> float:
        return time.time() + moved[0]

    def expire() -> None:
        moved[0] += 400

    with KeyReader("cell", assume=False, secretsmanager=client, clock=clock) as reader:
        yield lambda: reader.get("acme"), expire


@contextmanager
def caching(client: Any) -> Generator[tuple[Callable[[], object], Callable[[], None]]]:
    cache = SecretCache(SecretCacheConfig(secret_refresh_interval=LIFE), client)
    yield lambda: cache.get_secret_string(SECRET), lambda: time.sleep(LIFE + 0.1)


@contextmanager
def powertools(client: Any) -> Generator[tuple[Callable[[], object], Callable[[], None]]]:
    provider = SecretsProvider(boto3_client=client)
    yield lambda: provider.get(SECRET, max_age=LIFE), lambda: time.sleep(LIFE + 0.1)


@contextmanager
def bare(client: Any) -> Generator[tuple[Callable[[], object], Callable[[], None]]]:
    yield lambda: client.get_secret_value(SecretId=SECRET), lambda: None


CANDIDATES = {
    "myflux_keys": ours,
    "aws-secretsmanager-caching": caching,
    "powertools": powertools,
    "boto3": bare,
}


def stampede(read: Callable[[], object]) -> int:
    """Starts all reads at once. Returns how many threads got an answer."""
    gate = threading.Barrier(THREADS)
    answered: list[object] = []

    def go() -> None:
        gate.wait()
        answered.append(read())

    stack_size = threading.stack_size(256 * 1024)
    try:
        threads = [threading.Thread(target=go) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.stack_size(stack_size)
    return len(answered)


def calls_of(name: str) -> tuple[int, int]:
    """(calls that the server received at expiry, threads that got an answer)."""
    with StandIn() as stand_in, client_of(stand_in) as client, CANDIDATES[name](client) as (read, expire):
        stand_in.put("acme", key_text("acme"), VERSION)
        read()
        expire()
        stand_in.slow["acme"] = ANSWER_SECONDS
        before = stand_in.calls.total()
        answered = stampede(read)
        return stand_in.calls.total() - before, answered


def run() -> dict[str, list[Row]]:
    rows: list[Row] = []
    for name in CANDIDATES:
        calls, answered = calls_of(name)
        is_ours = name == "myflux_keys"
        rows.append(
            {
                "name": f"calls by {THREADS:,} threads at expiry, {name} ({answered:,} answered)",
                "value": calls,
                "unit": "calls",
                "goal": f"= {GOAL}" if is_ours else "",
                "ok": calls == GOAL and answered == THREADS if is_ours else None,
            }
        )
    return {"rows": rows}


if __name__ == "__main__":
    show(run()["rows"])
