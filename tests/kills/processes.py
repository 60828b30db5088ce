"""The processes of a running command, by what they are: the command itself, a worker of it, an engine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Victim = Literal["command", "worker", "engine", "all"]
VICTIMS: Final[tuple[Victim, ...]] = ("command", "worker", "engine", "all")
_WORKER: Final = "ops.stacks.processes"


@dataclass(frozen=True)
class Struck:
    """`killed` is empty where there was no such process at this moment. `left` are the command's other processes."""

    killed: frozenset[int]
    left: frozenset[int]


def there(command: int) -> set[Victim]:
    """Who could be killed at this moment."""
    below = list(_below(command))
    return {victim for victim in VICTIMS if _chosen(command, below, victim)}


def kill(command: int, victim: Victim) -> Struck:
    """Kills by SIGKILL, at once. `all` also ends what the engine has started, as a machine does that loses its
    power."""
    below = list(_below(command))
    chosen = _chosen(command, below, victim)
    for pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return Struck(frozenset(chosen), frozenset({command, *below} - set(chosen)))


def _chosen(command: int, below: Sequence[int], victim: Victim) -> list[int]:
    if victim == "command":
        return [command]
    if victim == "all":
        return [command, *below]
    return [pid for pid in below if _is(pid, victim)]


def run(pids: Iterable[int]) -> bool:
    """Whether one of the processes has not ended. Its parent may be gone, and nobody be there to read how it ended."""
    return any(state not in ("", "Z", "X") for state in map(_state, pids))


def asks(pid: int, port: int) -> bool:
    """Whether the process holds the connection from this port of 127.0.0.1."""
    mine = f"0100007F:{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    sockets = {f"socket:[{words[9]}]" for words in lines if words[1] == mine}
    return any(held in sockets for held in _open(pid))


def _open(pid: int) -> Iterator[str]:
    """What the process has open, as /proc names it; nothing where it has ended."""
    try:
        files = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for file in files:
        with suppress(OSError):  # closed meanwhile
            yield str(file.readlink())


def _state(pid: int) -> str:
    """As /proc says it, in one letter; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _is(pid: int, victim: Victim) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    if victim == "worker":
        return any(_WORKER in word for word in words)
    return Path(words[0]).name == "pulumi"


def _below(command: int) -> Iterator[int]:
    """Every descendant, before one of them is killed: an orphan has another parent."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                parent = int(
                    (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
                )
            except OSError:
                continue
            children.setdefault(parent, []).append(int(folder.name))
    waiting = [command]
    while waiting:
        for child in children.get(waiting.pop(), []):
            waiting.append(child)
            yield child
