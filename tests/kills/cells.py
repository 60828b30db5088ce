"""One cell of the kill table: a command loses a process when AWS has applied its n-th call, then is run again.

What must hold after that is in `Operation.wrong`. The moment is a call's number, not a time: a slow machine strikes at
the same place.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from ops.stacks import backend
from tests.actions.conftest import ROOT
from tests.kills.processes import Victim, kill
from tests.program.gate import gate
from tests.tenants_life.conftest import Life

_TRIES: Final = 6
"""Of the same command: an engine that has lost its command holds its lock until it has ended."""
_PAUSE_SECONDS: Final = 5.0
_NOBODY_WANTS: Final = ("Traceback", "leaked semaphore", "is already in use")
"""In what a command says."""


@dataclass(frozen=True)
class Operation:
    """`begin` makes what the operation needs. `wrong` says what does not hold once it has ended well."""

    name: str
    begin: Callable[[Life, str], None]
    arguments: Callable[[str], tuple[str, ...]]
    wrong: Callable[[Life, str], list[str]]


def _up_wrong(life: Life, slug: str) -> list[str]:
    life.settled(slug)
    return _unless(len(life.live_keys(slug)) == 1, f"{len(life.live_keys(slug))} live keys")


def _rotate_wrong(life: Life, slug: str) -> list[str]:
    live = life.live_keys(slug)
    return [
        *_unless(life.key_id(slug) in live, "the current key is dead"),
        *_unless(len(live) <= 2, f"{len(live)} live keys, but only the current and the previous one may live"),
    ]


def _move_wrong(life: Life, slug: str) -> list[str]:
    there = life.live_keys(slug, "other")
    return [
        *_unless(len(there) == 1, f"{len(there)} live keys in the new cell"),
        *_unless(len(life.live_keys(slug)) == 1, "the old cell's key is not the only one there"),
        *_unless("cell: other" in life.file(slug).read_text(encoding="utf-8"), "its file names the old cell"),
    ]


def _offboard_wrong(life: Life, slug: str) -> list[str]:
    return [
        *_unless(not life.live_keys(slug), "it has live keys"),
        *_unless(life.archived(slug) == [True], f"its projects: {life.archived(slug)}"),
        *_unless(f"{slug}.local" not in life.stacks(), "its stack is there"),
        *_unless(not life.file(slug).exists(), "its file is not archived"),
    ]


def _file_alone(life: Life, slug: str) -> None:
    life.told("new", slug, "--from", "acme", "--name", slug)


OPERATIONS: Final = (
    Operation(
        "up", _file_alone, lambda slug: ("up", slug, "--workers", "1", "--wait", "--wait-minutes", "3"), _up_wrong
    ),
    Operation(
        "rotate", Life.new, lambda slug: ("rotate", slug, "--wait", "--yes", "--reason", "a kill"), _rotate_wrong
    ),
    Operation("move", Life.new, lambda slug: ("move", slug, "--to", "other", "--yes"), _move_wrong),
    Operation("offboard", Life.new, lambda slug: ("offboard", slug, "--yes"), _offboard_wrong),
)


@dataclass(frozen=True)
class Outcome:
    """`text` is short. `wrong` is empty where everything holds, and where there was nobody to kill."""

    text: str
    wrong: tuple[str, ...] = ()


def calls(life: Life, operation: Operation, slug: str) -> int:
    """How many calls of AWS the whole operation makes."""
    operation.begin(life, slug)
    with gate(life.cell.aws_port, lambda _target, _path: False) as counting:
        ended = _start(life, operation.arguments(slug), AWS_ENDPOINT_URL=counting.url)
        out, err = ended.communicate(timeout=600)
        assert ended.returncode == 0, f"{operation.name} of {slug} without a kill: {out}{err}"
    return len(counting.asked)


def cell(life: Life, operation: Operation, slug: str, victim: Victim, call: int) -> Outcome:
    """`call` counts from 0. Who dies takes nothing back: AWS has applied the call, and the answer never comes."""
    operation.begin(life, slug)
    numbers = iter(range(call + 1))

    def is_the_one(_target: str, _path: str) -> bool:
        return next(numbers, None) == call

    with gate(life.cell.aws_port, is_the_one) as between:
        running = _start(life, operation.arguments(slug), AWS_ENDPOINT_URL=between.url)
        while running.poll() is None and not between.held.wait(0.05):
            pass
        struck = between.held.is_set() and kill(running.pid, victim)
        between.opened.set()
        said = "".join(running.communicate(timeout=600))
    if not struck:
        # Nobody was killed: the same command once more would do it twice, such as a second rotation.
        return Outcome("-", (*operation.wrong(life, slug), *_left(life, slug), *_unwanted(said)))
    # After such a kill the next command runs where nothing is remembered, as on a new CI runner.
    elsewhere = {"MYFLUX_STATE": str(life.state / slug)} if operation.name == "up" and victim == "all" else {}
    tries, wrong = 0, ["it did not converge"]
    while tries < _TRIES:
        tries += 1
        again = _start(life, operation.arguments(slug), **elsewhere)
        last = "".join(again.communicate(timeout=600))
        said += last
        if again.returncode == 0 or not operation.wrong(life, slug):
            wrong = [*operation.wrong(life, slug), *_left(life, slug)]
            break
        wrong = [f"it did not converge: {last.strip().splitlines()[-3:]}"]
        time.sleep(_PAUSE_SECONDS)
    wrong += _unwanted(said)
    return Outcome("ok" if tries == 1 else f"ok, {tries} tries", tuple(wrong))


def _start(life: Life, arguments: tuple[str, ...], **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ops.cli", *arguments],
        cwd=ROOT,
        env=dict(life.environment) | more,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


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


def _unless(holds: bool, told: str) -> list[str]:
    return [] if holds else [told]
