"""Measures times, and the peak memory of an operation's processes.

Memory is the sum of the resident sets of all processes that this process started during the measurement, read 20 times
a second. A shared page counts once for each process that has it, for every candidate. It needs Linux's /proc; on other
systems it is None, not an estimate.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LOOK_EVERY_SECONDS: Final = 0.05
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class Spread:
    """Samples of one figure. The median is the figure; the smallest and the largest show how reliable it is."""

    median: float
    least: float
    most: float
    samples: int

    def __str__(self) -> str:
        return f"{self.least:.2f} to {self.most:.2f} in {self.samples} samples"


def spread(samples: Sequence[float]) -> Spread:
    """Raises ValueError for no samples."""
    if not samples:
        raise ValueError("no samples: nothing was measured")
    return Spread(statistics.median(samples), min(samples), max(samples), len(samples))


def seconds(act: Callable[[], object]) -> float:
    """The wall-clock time of `act`, in seconds."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


class PeakMemory:
    """`with PeakMemory() as memory: …`, then `memory.mebibytes`: of processes started inside, and their children."""

    def __init__(self, proc: Path = _PROC, own: int | None = None) -> None:
        self._proc = proc
        self._own = os.getpid() if own is None else own
        self._done = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = set(_parents(self._proc))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    @property
    def mebibytes(self) -> float | None:
        """None if there is no /proc, or if no process was read."""
        return self._peak / 2**20 if self._peak else None

    def _watch(self) -> None:
        while not self._done.wait(LOOK_EVERY_SECONDS):
            started = descendants(self._own, _parents(self._proc)) - self._before
            self._peak = max(self._peak, sum(_resident(self._proc, process) for process in started))


def descendants(root: int, parents: dict[int, int]) -> set[int]:
    """All children of `root`, and theirs. `parents` is from a process to its parent."""
    children: dict[int, list[int]] = {}
    for process, parent in parents.items():
        children.setdefault(parent, []).append(process)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def _parents(proc: Path) -> dict[int, int]:
    return dict(_each_parent(proc))


def _each_parent(proc: Path) -> Iterable[tuple[int, int]]:
    try:
        entries = [entry.name for entry in proc.iterdir() if entry.name.isdigit()]
    except FileNotFoundError:
        return
    for entry in entries:
        try:
            # The command is in parentheses and may contain any character, also spaces and parentheses.
            after_command = (proc / entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(entry), int(after_command.split()[1])


def _resident(proc: Path, process: int) -> int:
    """Bytes; 0 if the process has ended."""
    try:
        pages = (proc / str(process) / "statm").read_text(encoding="ascii").split()[1]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
