"""A server of the local cell as a detached process: starts it, checks that it runs, ends it.

Owns the process group, its clean environment and the lock that shows that it runs. Leaves out which servers a cell has
and when they are ready (`local/cell.py`).

A server inherits an open file with an exclusive `flock`, which the kernel drops when the process ends, however it ends.
So the check needs no process id: ids are reused, a zombie keeps its id, and another process must never get a signal.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parent.parent

SCHEDULES: Final = "MYFLUX_LOCAL_SCHEDULES"
"""Environment variable: with ``off`` EventBridge's schedules call nothing. Tests set it, which count calls."""
_LAUNCH: Final = 'umask 077; ulimit -c 0; log=$1; shift; echo $$; exec "$@" >"$log" 2>&1 </dev/null &'
"""Prints the id of the new process group and leaves the server to init. Core files are off: a core holds keys."""

_COMPILED: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Environment variables: whether and where Python keeps what it compiled."""

_GRACE_SECONDS: Final = 3.0
_KILL_SECONDS: Final = 30.0
"""After SIGKILL a busy machine may need some seconds to remove the process."""


@dataclass(frozen=True)
class ServerProcess:
    """One server. `group` is its process group, which also holds what it started, such as Lambda workers."""

    name: str
    group: int
    port: int
    home: Path

    @property
    def log(self) -> Path:
        return self.home / f"{self.name}.log"

    @property
    def lock(self) -> Path:
        return self.home / f"{self.name}.lock"

    def alive(self) -> bool:
        try:
            with self.lock.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def stop(self) -> None:
        """Ends the server and its child processes; returns when it has ended. Does nothing if it has already ended."""
        if self._signal_and_wait(signal.SIGTERM, _GRACE_SECONDS):
            return
        if not self._signal_and_wait(signal.SIGKILL, _KILL_SECONDS):
            raise OSError(f"process group {self.group} (the cell's {self.name} side) runs after SIGKILL: see `ps -g`")

    def _signal_and_wait(self, number: signal.Signals, seconds: float) -> bool:
        if not self.alive():
            return True
        with suppress(ProcessLookupError):
            os.killpg(self.group, number)
        give_up = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.02)
        # The server is gone; a worker that ignored the first signal has nobody left to answer to.
        # Where init buries nobody, a dead worker stays in the group: it is waited for no longer than this.
        give_up = time.monotonic() + _GRACE_SECONDS
        with suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < give_up:
                os.killpg(self.group, signal.SIGKILL)
                time.sleep(0.02)
        return True

    def last_words(self, lines: int = 15) -> str:
        """The end of the server's log, for an error message."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return "(it wrote no log)"
        return "\n".join(text.strip().splitlines()[-lines:]) or "(its log is empty)"


def launch(name: str, module: str, port: int, home: Path) -> ServerProcess:
    """Starts ``python -m MODULE --port PORT --home HOME`` in a session of its own and returns at once."""
    server = ServerProcess(name, 0, port, home)
    with server.lock.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)
        command = [sys.executable, "-m", module, "--port", str(port), "--home", str(home)]
        started = subprocess.run(
            ["/bin/sh", "-c", _LAUNCH, "sh", str(server.log), *command],
            cwd=REPOSITORY,
            env=clean_environment(home),
            pass_fds=[lock.fileno()],
            start_new_session=True,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    return ServerProcess(name, int(started.stdout), port, home)


def clean_environment(home: Path) -> dict[str, str]:
    """A server's environment. Lambda workers inherit it, so it has nothing of the caller's (keys, proxies).

    Compiled modules are kept unless the caller says otherwise: half of a server's start would be compiling."""
    scratch = home / "tmp"
    scratch.mkdir(mode=0o700, exist_ok=True)
    compiled = {name: os.environ[name] for name in _COMPILED if name in os.environ}
    return compiled | {
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),
        "MYFLUX_LOCAL_CLOCK": str(home / "clock"),
        SCHEDULES: os.environ.get(SCHEDULES, "on"),
    }


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Holds `path` as a lock, waiting for whoever has it. The file stays: removing a lock others wait for breaks it."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
