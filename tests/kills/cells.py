"""One cell of the kill table: a command loses a process at a call of AWS, then is run again.

What must hold after that is in `Operation.wrong`. A moment is a number, not a time, so that a slow machine strikes at
the same place: 2n is when the n-th call, from 0, is asked and AWS does not know it, with all done that the command does
before; 2n+1 is when AWS has applied it, and the answer never comes.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Final
from urllib.parse import unquote, urlsplit

from ops.stacks import backend
from tests.commands import client
from tests.kills.processes import Struck, Victim, asks, kill, run, there
from tests.program.gate import Asked, gate
from tests.tenants_life.conftest import Life

_TRIES: Final = 6
"""Of the same command: an engine that has lost its command holds its lock until it has ended."""
_PAUSE_SECONDS: Final = 60.0
"""The longest wait for what a kill has left running, before the command is tried once more."""
_NOBODY_WANTS: Final = ("Traceback", "leaked semaphore", "is already in use")
"""In what a command says."""


Counts = Callable[[Asked], bool]
"""Whether a request is a moment of the operation."""


@contextmanager
def _nothing_else(_life: Life, _slug: str) -> Generator[Counts]:
    yield lambda _asked: True


@dataclass(frozen=True)
class Operation:
    """`begin` makes tenants as the operation needs them. `wrong` says what does not hold once it has ended well.
    `meanwhile` runs from before the command until after the last try, and fails by an AssertionError; what it gives
    sees each request before AWS does. `own`: moments are counted among the calls that the command itself makes, and
    each of them is struck."""

    name: str
    begin: Callable[[Life, Sequence[str]], None]
    arguments: Callable[[str], tuple[str, ...]]
    wrong: Callable[[Life, str], list[str]]
    meanwhile: Callable[[Life, str], AbstractContextManager[Counts]] = _nothing_else
    own: bool = False


def _up_wrong(life: Life, slug: str) -> list[str]:
    life.settled(slug)
    return unless(len(life.live_keys(slug)) == 1, f"{len(life.live_keys(slug))} live keys")


def _rotate_wrong(life: Life, slug: str) -> list[str]:
    live = life.live_keys(slug)
    return [
        *unless(life.key_id(slug) in live, "the current key is dead"),
        *unless(len(live) <= 2, f"{len(live)} live keys, but only the current and the previous one may live"),
    ]


def _move_wrong(life: Life, slug: str) -> list[str]:
    there = life.live_keys(slug, "other")
    return [
        *unless(len(there) == 1, f"{len(there)} live keys in the new cell"),
        *unless(len(life.live_keys(slug)) == 1, "the old cell's key is not the only one there"),
        *unless("cell: other" in life.file(slug).read_text(encoding="utf-8"), "its file names the old cell"),
    ]


def _offboard_wrong(life: Life, slug: str) -> list[str]:
    return [
        *unless(not life.live_keys(slug), "it has live keys"),
        *unless(life.archived(slug) == [True], f"its projects: {life.archived(slug)}"),
        *unless(f"{slug}.local" not in life.stacks(), "its stack is there"),
        *unless(not life.file(slug).exists(), "its file is not archived"),
    ]


def files_alone(life: Life, slugs: Sequence[str]) -> None:
    for slug in slugs:
        life.told("new", slug, "--from", "acme", "--name", slug)


def deployed(life: Life, slugs: Sequence[str]) -> None:
    """With their first keys. One worker deploys them all, since most of a single one's time is loading modules."""
    files_alone(life, slugs)
    life.told("up", *slugs, "--workers", "1")
    for slug in slugs:
        life.settled(slug)


OPERATIONS: Final = (
    Operation(
        "up", files_alone, lambda slug: ("up", slug, "--workers", "1", "--wait", "--wait-minutes", "3"), _up_wrong
    ),
    Operation(
        "rotate", deployed, lambda slug: ("rotate", slug, "--wait", "--yes", "--reason", "a kill"), _rotate_wrong
    ),
    Operation("move", deployed, lambda slug: ("move", slug, "--to", "other", "--yes"), _move_wrong),
    Operation("offboard", deployed, lambda slug: ("offboard", slug, "--yes"), _offboard_wrong),
)


@dataclass(frozen=True)
class Outcome:
    """`text` is short: a dash where there was nobody to kill. `wrong` is empty where everything holds."""

    text: str
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Whole:
    """An operation that nobody disturbs: how many calls of AWS it makes, and who could have been killed at one of
    them. `own`: as in Operation; then the command alone is killed."""

    calls: int
    victims: frozenset[Victim]
    own: bool = False


def whole(life: Life, operation: Operation, slug: str) -> Whole:
    """The tenant is begun."""
    pids: SimpleQueue[int] = SimpleQueue()
    pid = cache(pids.get)
    seen: set[Victim] = set()

    def look(_target: str, _path: str) -> bool:
        seen.update(there(pid()))
        return False

    with (
        operation.meanwhile(life, slug) as counts,
        gate(life.cell.aws_port, look, counts=_own(pid, counts) if operation.own else counts) as counting,
    ):
        ended = _run(life, operation.arguments(slug), {"AWS_ENDPOINT_URL": counting.url}, pids.put)
        assert ended.returncode == 0, f"{operation.name} of {slug} without a kill: {ended.stdout}{ended.stderr}"
        assert not (wrong := operation.wrong(life, slug)), f"{operation.name} of {slug} without a kill: {wrong}"
    return Whole(len(counting.asked), frozenset({"command"} if operation.own else seen), operation.own)


def strike(
    life: Life,
    arguments: tuple[str, ...],
    victim: Victim,
    holds: Callable[[str, str], bool],
    *,
    early: bool,
    counts: Counts = lambda _asked: True,
    own: bool = False,
) -> tuple[Struck, str]:
    """At the first call that `holds` matches by its X-Amz-Target and path: with `early` before AWS knows of it, else
    once AWS has applied it. With `own` it matches calls of the command itself alone. Returns who was struck, and what
    the command said."""
    pids: SimpleQueue[int] = SimpleQueue()
    pid = cache(pids.get)
    with (
        gate(life.cell.aws_port, holds, early=early, counts=_own(pid, counts) if own else counts) as between,
        ThreadPoolExecutor(max_workers=1) as beside,
    ):
        running = beside.submit(_run, life, arguments, {"AWS_ENDPOINT_URL": between.url}, pids.put)
        while not running.done() and not between.held.wait(0.02):
            pass
        command = pid()
        struck = kill(command, victim) if between.held.is_set() else Struck(frozenset(), frozenset())
        if not struck.killed:
            # The rest of an undisturbed run would take long, and show nothing.
            kill(command, "all")
        _await_end(struck.killed)
        between.opened.set()
        first = running.result()
    return struck, first.stdout + first.stderr


def _own(pid: Callable[[], int], counts: Counts) -> Counts:
    return lambda asked: asks(pid(), asked.port) and counts(asked)


def cell(life: Life, operation: Operation, slug: str, victim: Victim, moment: int) -> Outcome:
    """The tenant is begun, and nobody else's."""
    try:
        with operation.meanwhile(life, slug) as counts:
            found = _struck_and_again(life, operation, slug, victim, moment, counts)
    except AssertionError as failed:
        return Outcome("", (str(failed),))
    return found


def _struck_and_again(
    life: Life,
    operation: Operation,
    slug: str,
    victim: Victim,
    moment: int,
    counts: Counts,
) -> Outcome:
    call, applied = divmod(moment, 2)
    numbers = iter(range(call + 1))
    struck, said = strike(
        life,
        operation.arguments(slug),
        victim,
        lambda _target, _path: next(numbers, None) == call,
        early=not applied,
        counts=counts,
        own=operation.own,
    )
    if not struck.killed:
        return Outcome("-")
    # After such a kill the next command runs where nothing is remembered, as on a new CI runner.
    elsewhere = {"MYFLUX_STATE": str(life.state / slug)} if operation.name == "up" and victim == "all" else {}
    tries, wrong = 0, ["it did not converge"]
    while tries < _TRIES:
        tries += 1
        with gate(life.cell.aws_port, lambda _target, _path: False, counts=counts) as between:
            again = _run(life, operation.arguments(slug), elsewhere | {"AWS_ENDPOINT_URL": between.url})
        last = again.stdout + again.stderr
        said += last
        if again.returncode == 0 or not _wrong(operation, life, slug):
            wrong = [*_wrong(operation, life, slug), *_left(life, slug)]
            break
        wrong = [f"it did not converge: {last.strip().splitlines()[-3:]}"]
        _await_end(struck.left)
    wrong += _unwanted(said)
    return Outcome("ok" if tries == 1 else f"ok, {tries} tries", tuple(wrong))


def _wrong(operation: Operation, life: Life, slug: str) -> list[str]:
    try:
        return operation.wrong(life, slug)
    except Exception as error:  # noqa: BLE001 - no secret, no key or no end of a rotation: the next cells are struck
        return [f"{type(error).__name__}: {error}"]


def _run(
    life: Life,
    arguments: tuple[str, ...],
    more: Mapping[str, str],
    begun: Callable[[int], object] | None = None,
) -> subprocess.CompletedProcess[str]:
    environment = {**life.environment, **more}
    done = client.run(arguments, environment, timeout=600, group=True, begun=begun)
    life.said.extend((done.stdout, done.stderr))
    return done


def _await_end(pids: Iterable[int]) -> None:
    give_up = time.monotonic() + _PAUSE_SECONDS
    while run(pids) and time.monotonic() < give_up:
        time.sleep(0.1)


def _left(life: Life, slug: str) -> list[str]:
    """What somebody would have to clean by hand."""
    url = life.environment["PULUMI_BACKEND_URL"]
    folder = Path(unquote(urlsplit(url).path), ".pulumi", "stacks", backend.PROJECT)
    found: list[str] = []
    for stack in (f"{slug}.local", f"{slug}.other"):
        found += [f"{stack} is locked by {lock}" for lock in backend.locks(url, stack)]
        file = folder / f"{stack}.json"
        if file.is_file():
            latest = json.loads(file.read_text("utf-8"))["checkpoint"]["latest"]
            found += [f"{stack}: pending {one['type']}" for one in latest.get("pending_operations") or []]
        found += [
            f"{path.name} is left" for path in folder.glob(f"{stack}.json*") if path.suffix in (".tmp", ".damaged")
        ]
    return found


def _unwanted(said: str) -> list[str]:
    """With what follows it, up to the error that a traceback ends with."""
    return [f"it said {' '.join(said[said.index(word) :][:1500].split())}" for word in _NOBODY_WANTS if word in said]


def unless(holds: bool, told: str) -> list[str]:
    return [] if holds else [told]
