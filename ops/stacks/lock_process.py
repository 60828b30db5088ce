"""Whether the process that made a lock has ended, where no worker's note says so (`lock_holder`).

A host's name and a process id prove nothing alone: another machine, or a container, may have both. They do where the
backend is a folder on a disk of this machine, and this process sees the processes of every container here.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ops.stacks import backend, lock_holder
from ops.stacks.lock_holder import CLOCK_SECONDS, Lock
from ops.state_place import place

_PROC: Final = Path("/proc")
_FIRST_NAMESPACE: Final = "pid:[4026531836]"
"""Linux's number of the process namespace that sees all others: PROC_PID_INIT_INO in include/linux/proc_ns.h."""
_DISKS: Final = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "tmpfs", "xfs", "zfs"}
)
"""File systems that no other machine writes to."""


def has_ended(lock: Lock, url: str, proc: Path = _PROC) -> bool:
    """Whether it provably has. False where this machine cannot know."""
    found = place(url)
    if found.scheme != "file" or lock.host != socket.gethostname() or not sees_all(proc):
        return False
    return _file_system(Path(found.root).resolve(), proc) in _DISKS and not _runs(lock, proc)


def free(url: str, stack: str, project: str = backend.PROJECT) -> list[Lock]:
    """Removes the stack's locks whose process has ended, and returns them."""
    ended = [lock for lock in backend.locks(url, stack, project) if has_ended(lock, url)]
    for lock in ended:
        backend.unlock(url, lock)
    return ended


def is_missing_here(lock: Lock) -> bool:
    """Whether this machine has the lock's host name and no such process: a hint for a person, not a proof."""
    if lock.host != socket.gethostname():
        return False
    began = lock_holder.process_began(lock.pid)
    return began is None or began > lock.since + CLOCK_SECONDS


def sees_all(proc: Path = _PROC) -> bool:
    """Whether this process sees those of every container here."""
    try:
        return str((proc / "self" / "ns" / "pid").readlink()) == _FIRST_NAMESPACE
    except OSError:
        return False


def _file_system(folder: Path, proc: Path) -> str:
    """Empty where it is not known."""
    try:
        lines = (proc / "self" / "mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    mounts = {Path(fields[4].replace("\\040", " ")): fields[fields.index("-") + 1] for fields in map(str.split, lines)}
    around = [mount for mount in mounts if folder.is_relative_to(mount)]
    return mounts[max(around, key=lambda mount: len(mount.parts))] if around else ""


def _runs(lock: Lock, proc: Path) -> bool:
    """Whether a process has the lock's id, here or in a container, and is as old as the lock."""
    for pid in _with_id(lock.pid, proc):
        began = lock_holder.process_began(pid, proc)
        if began is not None and began <= lock.since + CLOCK_SECONDS:
            return True
    return False


def _with_id(wanted: int, proc: Path) -> Iterable[int]:
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            status = (folder / "status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        ids = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [folder.name])
        if str(wanted) in ids:
            yield int(folder.name)
