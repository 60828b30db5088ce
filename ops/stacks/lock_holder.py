"""Who holds a stack's lock, and whether that process has provably ended.

Reads Pulumi's locks, and the notes that each worker writes while it works on a stack. A host's name proves nothing,
since two machines may have the same: only a note with this boot id and process namespace shows that the lock's process
id belongs to one of our workers. A lock whose holder may still run stays, and the report shows who holds it.
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from ops import journal
from ops.errors import Unreadable
from ops.stacks import record

_PROC: Final = Path("/proc")
CLOCK_SECONDS: Final = 2.0
"""The largest difference between two readings of a machine's clock: a process's start is in ticks since the boot."""


@dataclass(frozen=True)
class Lock:
    """`name` is the lock's path or object key in the backend; `since` is in Unix seconds."""

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
    """Written by the worker `pid` while it works on a stack. `machine` is its `this_machine()`."""

    stack: str
    machine: str
    pid: int
    since: float


def lock(name: str, content: str) -> Lock:
    """From the file that the engine writes while it works on a stack. Raises Unreadable for a file cut short."""
    try:
        fields = json.loads(content)
        since = datetime.fromisoformat(fields["timestamp"]).timestamp()
        return Lock(name, str(fields["username"]), str(fields["hostname"]), int(fields["pid"]), since)
    except (ValueError, KeyError, TypeError):
        stack = PurePosixPath(name).parent.name
        raise Unreadable(
            f"the lock {name} cannot be read: it was cut short, so nobody knows who holds it. If nothing works on the "
            f"stack any more, `pulumi cancel --yes --stack {stack}` removes it. Nothing was changed."
        ) from None


def this_machine(proc: Path = _PROC) -> str | None:
    """The machine's boot id and the process namespace; None where they cannot be read."""
    try:
        boot = (proc / "sys" / "kernel" / "random" / "boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(proc / 'self' / 'ns' / 'pid').readlink()}"
    except OSError:
        return None


def provably_ended(lock: Lock, note: Note | None, machine: str | None, host: str, began: float | None) -> bool:
    """Pure. `note` is that of a lost worker at this stack; `began` is the start of the process that now has the lock's
    process id, None for no such process."""
    if note is None or machine is None or note.machine != machine or lock.host != host:
        return False
    if lock.since < note.since - CLOCK_SECONDS:
        return False
    return began is None or began > lock.since + CLOCK_SECONDS


def has_ended(lock: Lock, note: Note | None) -> bool:
    return provably_ended(lock, note, this_machine(), socket.gethostname(), process_began(lock.pid))


def process_began(pid: int, proc: Path = _PROC) -> float | None:
    """Unix seconds. None for no such process, and for a zombie."""
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
    """Writes a note, which `end` removes, unless a running worker of this machine has one. Returns the note of a lost
    worker of this machine at this stack: the new note keeps its time, since it is about the same locks."""
    path, machine = _path(folder, stack), this_machine() or ""
    lost = _read(path)
    if lost is not None and lost.machine == machine and _is_running(lost):
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


def _is_running(note: Note) -> bool:
    """Whether the note's process still runs: a process with that id that is younger than the note is another."""
    began = process_began(note.pid)
    return began is not None and began <= note.since + CLOCK_SECONDS


def end(folder: Path, stack: str) -> None:
    """Removes this process's note; the note of another process stays."""
    note = _read(_path(folder, stack))
    if note is not None and note.pid == os.getpid():
        _path(folder, stack).unlink(missing_ok=True)


def notes(url: str) -> Path:
    """The folder of this machine's notes about the stacks of one backend."""
    return record.place() / journal.digest(url)


def noted(folder: Path) -> set[str]:
    """The stacks at which a worker of this machine is, or was when it was lost."""
    return {path.stem for path in (folder / "at-work").glob("*.json")}


def _path(folder: Path, stack: str) -> Path:
    return folder / "at-work" / f"{stack}.json"
