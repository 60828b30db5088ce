"""The longest time that a read takes while the key rotates and AWS is out of reach for a minute, beside the peers.

32 threads read as often as calls come, each after a pause, so that the interpreter is not the bottleneck. The key is
rotated; then the server accepts calls and does not answer them, which is the slowest kind of outage. Every candidate is
measured over the same times, one after another, with the same time of caching and the same limits of its client. An
empty read, measured by the same threads at the same time, shows what the machine itself adds. `run()` returns figures;
`python -m bench.reader_outage` prints them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_secretsmanager_caching import SecretCache, SecretCacheConfig

from bench.figures import Figure, from_rows, number
from bench.reader import SECRET, Row, client_of
from myflux_keys import KeyReader
from myflux_keys.tenant_sessions import CALL_LIMITS
from tests.reader.stand_in import StandIn, key_text

THREADS: Final = 32
PAUSE: Final = 0.01
"""Seconds between two reads of a thread: 3,200 reads a second by all of them."""
LIFE: Final = 10
"""Seconds for which each candidate caches. Several refreshes fit into the time before and after the outage."""
BEFORE: Final = 25.0
OUTAGE: Final = 60.0
AFTER: Final = 15.0
GOAL: Final = 5.0
"""Milliseconds."""
OLD: Final = "00000000-0000-4000-8000-000000000001"
NEW: Final = "00000000-0000-4000-8000-000000000002"

Read = Callable[[], object]


@dataclass
class Seen:
    """Of one thread. `longest` in seconds."""

    longest: float = 0.0
    empty: float = 0.0
    reads: int = 0
    errors: int = 0
    last: str = ""


@contextmanager
def ours(client: Any) -> Generator[Read]:
    with KeyReader("cell", assume=False, secretsmanager=client, ttl=LIFE) as reader:
        yield lambda: reader.get("acme").version_id


@contextmanager
def caching(client: Any) -> Generator[Read]:
    cache = SecretCache(SecretCacheConfig(secret_refresh_interval=LIFE), client)
    yield lambda: cache.get_secret_string(SECRET)


@contextmanager
def powertools(client: Any) -> Generator[Read]:
    provider = SecretsProvider(boto3_client=client)
    yield lambda: provider.get(SECRET, max_age=LIFE)


CANDIDATES: Final = {"myflux_keys": ours, "aws-secretsmanager-caching": caching, "powertools": powertools}


@dataclass
class Readers:
    read: Read
    ended: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list[Seen])

    def run(self, before: float, outage: float, after: float, stand_in: StandIn) -> None:
        """Rotates halfway through `before`; raises nothing that a read raises."""
        threads = [threading.Thread(target=self._go) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        answers = threading.Event()
        try:
            time.sleep(before / 2)
            stand_in.put("acme", key_text("new"), NEW)
            time.sleep(before / 2)
            stand_in.held["acme"] = answers
            time.sleep(outage)
        finally:
            stand_in.held.clear()
            answers.set()
        time.sleep(after)
        self.ended.set()
        for thread in threads:
            thread.join()

    def _go(self) -> None:
        seen = Seen()
        self.seen.append(seen)
        clock = time.perf_counter
        while not self.ended.wait(PAUSE):
            began = clock()
            seen.empty = max(seen.empty, clock() - began)
            began = clock()
            try:
                seen.last = str(self.read())
            except Exception:  # noqa: BLE001 - counted: a peer's read fails while AWS is away
                seen.errors += 1
            seen.longest = max(seen.longest, clock() - began)
            seen.reads += 1


def seen_by(name: str, before: float, outage: float, after: float) -> list[Seen]:
    """What each thread saw. Every candidate has a client with our own reader's limits."""
    with StandIn() as stand_in, client_of(stand_in, CALL_LIMITS) as client, CANDIDATES[name](client) as read:
        stand_in.put("acme", key_text("old"), OLD)
        read()
        readers = Readers(read)
        readers.run(before, outage, after, stand_in)
    return readers.seen


def rows_of(name: str, seen: list[Seen], outage: float) -> list[Row]:
    """Pure. Ours is met if no read was longer than the goal, none failed, and each thread ended with the new key."""
    longest, empty = (1000 * max(getattr(each, of) for each in seen) for of in ("longest", "empty"))
    reads, errors = (sum(getattr(each, of) for each in seen) for of in ("reads", "errors"))
    is_ours = name == "myflux_keys"
    label = f"longest get over a rotation and {outage:.0f} s without AWS, {name} ({errors:,} of {reads:,} failed)"
    ok = longest <= GOAL and errors == 0 and all(each.last == NEW for each in seen) if is_ours else None
    row: Row = {
        "name": label,
        "value": round(longest, 2),
        "unit": "ms",
        "goal": f"<= {GOAL:.0f}" if is_ours else "",
        "ok": ok,
    }
    machine: Row = {
        "name": "longest empty read by the same threads",
        "value": round(empty, 2),
        "unit": "ms",
        "goal": "",
        "ok": None,
    }
    return [row, machine] if is_ours else [row]


def run(_home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes five minutes, of which AWS is away for three."""
    before, outage, after = (LIFE + 2.0, 8.0, 8.0) if quick else (BEFORE, OUTAGE, AFTER)
    return from_rows(row for name in CANDIDATES for row in rows_of(name, seen_by(name, before, outage, after), outage))


if __name__ == "__main__":
    for figure in run(Path()):
        print(f"{figure.name}: {number(figure.value)} {figure.unit} {figure.goal} {figure.verdict} ({figure.peer})")
