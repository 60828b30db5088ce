"""Who holds a stack's lock, and whether that process has provably ended.

Owns reading Pulumi's lock, and a note that each worker writes while it works on a stack. A host's name proves nothing,
since two machines may share one: only a note with this boot id and process namespace shows that the lock's process id
belongs to one of our workers. A lock whose holder may live stays, and a person is shown who holds it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_CLOCK_SECONDS: Final = 2.0
"""What two readings of a machine's clock may differ by: a process's start is told in ticks since the machine's."""


@dataclass(frozen=True)
class Lock:
    """`name` is what the backend keeps it under; `since` is in Unix seconds."""

    name: str
    user: str
    host: str
    pid: int
    since: float

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.since).astimezone().isoformat(timespec="seconds")
        return f"{self.user}@{self.host}, process {self.pid}, since {moment}"


@dataclass(frozen=True)
class Note:
    """Left by the worker `pid` for as long as it is at a stack. `machine` is `this_machine()` there and then."""

    stack: str
    machine: str
    pid: int
    since: float


def lock(name: str, content: str) -> Lock:
    """From the file that the engine keeps for as long as it works on a stack."""
    told = json.loads(content)
    since = datetime.fromisoformat(told["timestamp"]).timestamp()
    return Lock(name, str(told["username"]), str(told["hostname"]), int(told["pid"]), since)


def this_machine(proc: Path = _PROC) -> str | None:
    """This boot of this machine and this space of process ids; None where that can't be told."""
    try:
        boot = (proc / "sys" / "kernel" / "random" / "boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(proc / 'self' / 'ns' / 'pid').readlink()}"
    except OSError:
        return None


def provably_gone(lock: Lock, note: Note | None, machine: str | None, host: str, began: float | None) -> bool:
    """Pure. `note` is what a lost worker left at this stack; `began` is when the process that has the lock's id now was
    started, None for no such process."""
    if note is None or machine is None or note.machine != machine or lock.host != host:
        return False
    if lock.since < note.since - _CLOCK_SECONDS:
        return False
    return began is None or began > lock.since + _CLOCK_SECONDS


def is_gone(lock: Lock, note: Note | None) -> bool:
    return provably_gone(lock, note, this_machine(), socket.gethostname(), process_began(lock.pid))


def process_began(pid: int, proc: Path = _PROC) -> float | None:
    """Unix seconds. A process that has ended and is only waiting to be noticed counts as none."""
    try:
        after_command = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = after_command.split()
    if fields[0] in ("Z", "X"):
        return None
    uptime = float((proc / "uptime").read_text(encoding="ascii").split()[0])
    return time.time() - uptime + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def begin(folder: Path, stack: str) -> Note | None:
    """Leaves a note that `end` takes away, unless somebody who lives has left one. Returns the note of a worker of this
    machine that was lost at this stack: its time stays in the new one, which tells of the same locks."""
    path, machine = _path(folder, stack), this_machine() or ""
    lost = _read(path)
    if lost is not None and lost.machine == machine and _lives(lost):
        return None
    lost = lost if lost is not None and lost.machine == machine else None
    note = Note(stack, machine, os.getpid(), lost.since if lost else time.time())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(note)), encoding="utf-8")
    draft.replace(path)
    return lost


def _read(path: Path) -> Note | None:
    try:
        return Note(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _lives(note: Note) -> bool:
    """A process that has its id now and is younger than the note is another."""
    began = process_began(note.pid)
    return began is not None and began <= note.since + _CLOCK_SECONDS


def end(folder: Path, stack: str) -> None:
    """Nothing is under way any more, and no lock was left. Another's note stays."""
    note = _read(_path(folder, stack))
    if note is not None and note.pid == os.getpid():
        _path(folder, stack).unlink(missing_ok=True)


def _path(folder: Path, stack: str) -> Path:
    return folder / "at-work" / f"{stack}.json"
