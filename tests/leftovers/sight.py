"""What a process holds at one moment that outlives a test which does not give it back.

Owns seeing and naming; when to look and whom to blame is `plugin`'s. Cheap enough to do twice a test (0.3 ms). Linux
tells of processes, descriptors and the umask in /proc; elsewhere those are not seen. Warnings filters are left out:
pytest puts them back after every test itself.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_PROC = Path("/proc/self")
_UNTOUCHED = (logging.NOTSET, False, True)
_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


@dataclass(frozen=True)
class Sight:
    """`things` can be left behind, each by what tells it from every other; `settings` can be changed."""

    things: Mapping[object, str]
    settings: Mapping[str, object]


def look(tree: Tree) -> Sight:
    """`tree` is asked for the files that are new since it was made."""
    things: dict[object, str] = {}
    for seen in (_threads(), _processes(), _descriptors(), _temporary(), tree.files()):
        things.update(seen)
    return Sight(things, dict(_settings()))


def detached(folder: Path) -> dict[object, str]:
    """Processes that run with `folder` in their command, whoever their parent is now. A look at every process: 10 ms.

    A local cell is left to init when it starts; its command names its home, and that the test.
    """
    found: dict[object, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        command = _text(process / "cmdline").replace("\0", " ").strip()
        if str(folder) in command and process.name != str(os.getpid()):
            found["detached", process.name, command] = f"process {process.name} ({command})"
    return found


def left(before: Sight, after: Sight) -> dict[object, str]:
    """What there is now and was not before, by what tells it from every other."""
    return {thing: name for thing, name in after.things.items() if thing not in before.things}


def changed(before: Sight, after: Sight) -> list[str]:
    """Settings that are not what they were. Values are shown but for the environment's, which may be credentials."""
    told: list[str] = []
    for name in sorted(before.settings.keys() | after.settings.keys()):
        was, is_ = before.settings.get(name), after.settings.get(name)
        if was == is_ or (was is None and _of_an_import(name, is_)):
            continue
        hidden = name.startswith("environment variable ")
        told.append(f"{name} changed" if hidden else f"{name} was {was!r}, is {is_!r}")
    return told


def _of_an_import(name: str, setting: object) -> bool:
    """A module that is imported for the first time makes its logger, and may give it a handler."""
    kind, _, logger = name.partition(" ")
    return kind == "logger" and (setting == _UNTOUCHED or logger.partition(".")[0] in sys.modules)


def _threads() -> Iterator[tuple[object, str]]:
    for thread in threading.enumerate():
        yield thread, f"thread {thread.name}"


def _processes() -> Iterator[tuple[object, str]]:
    """Children of this process, with what they run."""
    for children in _PROC.glob("task/*/children"):
        for pid in _text(children).split():
            start = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
            if start:
                command = _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip() or "ended, never waited for"
                yield ("process", pid, start[19]), f"process {pid} ({command})"


def _descriptors() -> Iterator[tuple[object, str]]:
    if not _PROC.exists():
        return
    for descriptor in (_PROC / "fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        # Not the one that reads this very folder, nor those that pytest turns over to catch what is printed.
        if not target.endswith("/fd") and descriptor.name not in ("0", "1", "2"):
            yield ("descriptor", descriptor.name, target), f"descriptor {descriptor.name} ({target})"


def _temporary() -> Iterator[tuple[object, str]]:
    for path in Path(tempfile.gettempdir()).iterdir():
        yield ("temporary", str(path)), f"file {path}"


def _settings() -> Iterator[tuple[str, object]]:
    for name, value in os.environ.items():
        # pytest's own, which names the test and the phase.
        if name != "PYTEST_CURRENT_TEST":
            yield f"environment variable {name}", value
    yield "working directory", _working_directory()
    yield "umask", _umask()
    yield "sys.path", tuple(sys.path)
    yield "recursion limit", sys.getrecursionlimit()
    yield "switch interval", sys.getswitchinterval()
    yield "sockets' default timeout", socket.getdefaulttimeout()
    for number in _SIGNALS:
        yield f"handler of signal {number}", signal.getsignal(number)
    yield "logging.disable", logging.root.manager.disable
    yield "root logger", _of_logger(logging.root)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            yield f"logger {name}", _of_logger(logger)


def _of_logger(logger: logging.Logger) -> object:
    """Level, disabled, propagate; then filters and handlers. pytest's handlers come and go, a filter on them stays."""
    state = (logger.level, logger.disabled, logger.propagate, *logger.filters)
    for handler in logger.handlers:
        ours = not type(handler).__module__.startswith("_pytest.")
        state += (*([handler] if ours else []), *handler.filters)
    return state


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "a folder that is gone"


def _umask() -> str:
    status = _text(_PROC / "status")
    return status.partition("Umask:")[2].partition("\n")[0].strip()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class Tree:
    """Files of the repository that came up since this was made; hidden ones and caches belong to tools.

    A file that a person adds while the tests run is told of too.
    A folder is read again only when its time stamp says that its entries changed.
    """

    def __init__(self, root: Path = REPOSITORY) -> None:
        self._at_first: dict[Path, frozenset[Path]] = {}
        self._stamps: dict[Path, int] = {}
        self._new: dict[Path, frozenset[Path]] = {}
        for name, folders, files in os.walk(root):
            folders[:] = [each for each in folders if not _of_a_tool(each)]
            folder = Path(name)
            self._stamps[folder] = folder.stat().st_mtime_ns
            self._at_first[folder] = frozenset(folder / each for each in (*folders, *files))

    def files(self) -> Iterator[tuple[object, str]]:
        for folder, stamp in self._stamps.items():
            try:
                now = folder.stat().st_mtime_ns
                if now != stamp:
                    self._stamps[folder] = now
                    self._new[folder] = frozenset(folder.iterdir()) - self._at_first[folder]
            except FileNotFoundError:
                continue
        for paths in self._new.values():
            for path in paths:
                if not _of_a_tool(path.name):
                    yield ("file", path), f"file {path}"


def _of_a_tool(name: str) -> bool:
    return name.startswith((".", "__pycache__")) or name.endswith((".egg-info", "~"))
