"""A snapshot of the things and settings in a process that remain after a test which does not clean up.

Owns finding and naming them. Leaves out when a snapshot is taken and which test fails (`plugin`). There are two
snapshots per test, so they are quick: with plain strings instead of paths, one takes 0.3 ms. Processes, descriptors and
the umask are read from Linux's /proc; on other systems they are not checked. Warnings filters are left out: pytest
itself restores them after every test.
"""

# ruff: noqa: PTH109, PTH110, PTH115, PTH116, PTH123, PTH208

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_PROC = "/proc/self"
_UNTOUCHED = (logging.NOTSET, False, True)
_SIGNALS = [
    (f"handler of signal {number}", number)
    for number in map(int, sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))
]

_getsignal: Callable[[int], object] = importlib.import_module("_signal").getsignal
"""`signal.getsignal` without its search for an enum member, which would take most of a snapshot."""
_HANDLERS = {int(one): one for one in signal.Handlers}


@dataclass(frozen=True)
class Sight:
    """`things` can be left behind: from a unique key to a name. `settings` can be changed: from a name to a value."""

    things: Mapping[object, str]
    settings: Mapping[str, object]


def look(tree: Tree) -> Sight:
    """Takes a snapshot. `tree` finds the files that are new since it was made."""
    things: dict[object, str] = {}
    for seen in (_threads(), _processes(), _descriptors(), _temporary(), tree.files()):
        things.update(seen)
    return Sight(things, dict(_settings()))


def detached(folder: Path) -> dict[tuple[str, str, str], str]:
    """Processes with `folder` in their command, with any parent. It reads every process, which takes 10 ms.

    A local cell's parent is init from its start. Its command contains its home folder, whose name shows the test. A
    process that another of them started counts as part of that one: a cell that the whole run shares starts its
    functions on a schedule, during tests that know nothing of it.
    """
    commands: dict[int, str] = {}
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        command = _text(process / "cmdline").replace("\0", " ").strip()
        if str(folder) in command and process.name != str(os.getpid()):
            pid = int(process.name)
            commands[pid] = command
            parents[pid] = _parent(process)
    return {
        ("detached", str(pid), command): f"process {pid} ({command})"
        for pid, command in commands.items()
        if parents[pid] not in commands
    }


def _parent(process: Path) -> int:
    """The process's parent; 0 for a process that has just ended."""
    fields = _text(process / "stat").rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


def left(before: Sight, after: Sight) -> dict[object, str]:
    """The things that exist in `after` and not in `before`, by their unique key."""
    return {thing: name for thing, name in after.things.items() if thing not in before.things}


def changed(before: Sight, after: Sight) -> list[str]:
    """Settings that have changed. Values are shown, except those of the environment, which may be credentials."""
    told: list[str] = []
    for name in sorted(before.settings.keys() | after.settings.keys()):
        was, is_ = before.settings.get(name), after.settings.get(name)
        if was == is_ or (was is None and _of_an_import(name, is_)):
            continue
        hidden = name.startswith("environment variable ")
        told.append(f"{name} changed" if hidden else f"{name} was {was!r}, is {is_!r}")
    return told


def _of_an_import(name: str, setting: object) -> bool:
    """Whether a first import may explain it: a module then makes its logger, and may add a handler."""
    kind, _, logger = name.partition(" ")
    return kind == "logger" and (setting == _UNTOUCHED or logger.partition(".")[0] in sys.modules)


def _threads() -> Iterator[tuple[object, str]]:
    for thread in threading.enumerate():
        yield thread, f"thread {thread.name}"


def _processes() -> Iterator[tuple[object, str]]:
    """Children of this process, with their commands."""
    for task in os.listdir(f"{_PROC}/task") if os.path.exists(_PROC) else ():
        for pid in _text(f"{_PROC}/task/{task}/children").split():
            start = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if start:
                command = _text(f"/proc/{pid}/cmdline").replace("\0", " ").strip() or "ended, never waited for"
                yield ("process", pid, start[19]), f"process {pid} ({command})"


def _descriptors() -> Iterator[tuple[object, str]]:
    if not os.path.exists(_PROC):
        return
    for descriptor in os.listdir(f"{_PROC}/fd"):
        try:
            target = os.readlink(f"{_PROC}/fd/{descriptor}")
        except OSError:
            continue
        # Not the descriptor that reads this folder, nor those that pytest redirects to capture output. Nor an eventfd
        # or eventpoll: grpc, once it has run in a process, keeps some; an event loop that is left `futures` finds.
        if not target.endswith(("/fd", "[eventfd]", "[eventpoll]")) and descriptor not in ("0", "1", "2"):
            yield ("descriptor", descriptor, target), f"descriptor {descriptor} ({target})"


def _temporary() -> Iterator[tuple[object, str]]:
    folder = tempfile.gettempdir()
    for name in os.listdir(folder):
        yield ("temporary", f"{folder}/{name}"), f"file {folder}/{name}"


def _settings() -> Iterator[tuple[str, object]]:
    # As bytes: os.environ decodes each name and value anew.
    for name, value in os.environ._data.items():  # pyright: ignore[reportAttributeAccessIssue]
        # pytest sets this one: the test's name and phase.
        if name != b"PYTEST_CURRENT_TEST":
            yield _variable(name), value
    yield "working directory", _working_directory()
    yield "umask", _umask()
    yield "sys.path", tuple(sys.path)
    yield "recursion limit", sys.getrecursionlimit()
    yield "switch interval", sys.getswitchinterval()
    yield "sockets' default timeout", socket.getdefaulttimeout()
    for name, number in _SIGNALS:
        handler = _getsignal(number)
        yield name, _HANDLERS[handler] if isinstance(handler, int) else handler
    yield "logging.disable", logging.root.manager.disable
    yield "root logger", _of_logger(logging.root)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield f"logger {name}", _of_logger(logger)


@cache
def _variable(name: bytes) -> str:
    return f"environment variable {os.fsdecode(name)}"


def _of_logger(logger: logging.Logger) -> object:
    """Level, disabled, propagate, filters, handlers. pytest replaces its own handlers: only their filters count."""
    state = (logger.level, logger.disabled, logger.propagate, *logger.filters)
    for handler in logger.handlers:
        ours = not type(handler).__module__.startswith("_pytest.")
        state += (*([handler] if ours else []), *handler.filters)
    return state


def _working_directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "a folder that is gone"


def _umask() -> str:
    status = _text(f"{_PROC}/status")
    return status.partition("Umask:")[2].partition("\n")[0].strip()


def _text(file: Path | str) -> str:
    try:
        with open(file, "rb", buffering=0) as opened:
            return (opened.read() or b"").decode(errors="replace")
    except OSError:
        return ""


class Tree:
    """Files of the repository that are new since this was made, except hidden files and caches, which tools make.

    Also reports a file that a person adds while the tests run. A folder is read again only if its modification time has
    changed.
    """

    def __init__(self, root: Path = REPOSITORY) -> None:
        self._at_first: dict[str, frozenset[str]] = {}
        self._stamps: dict[str, int] = {}
        self._new: dict[str, frozenset[str]] = {}
        for name, folders, files in os.walk(root):
            folders[:] = [each for each in folders if not _of_a_tool(each)]
            self._stamps[name] = os.stat(name).st_mtime_ns
            self._at_first[name] = frozenset((*folders, *files))

    def files(self) -> Iterator[tuple[object, str]]:
        for folder, stamp in self._stamps.items():
            try:
                now = os.stat(folder).st_mtime_ns
                if now != stamp:
                    self._stamps[folder] = now
                    self._new[folder] = frozenset(os.listdir(folder)) - self._at_first[folder]
            except FileNotFoundError:
                continue
        for folder, names in self._new.items():
            for name in names:
                if not _of_a_tool(name):
                    yield ("file", f"{folder}/{name}"), f"file {folder}/{name}"


def _of_a_tool(name: str) -> bool:
    return name.startswith((".", "__pycache__")) or name.endswith((".egg-info", "~"))
