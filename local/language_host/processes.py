"""The processes that a language host starts; they end with it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

_GRACE_SECONDS: Final = 5.0
_CHUNK: Final = 65536


class Processes:
    """Every process that is still running. Safe to use from several threads."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], cwd: str, env: Mapping[str, str], orders: bytes) -> int:
        """Runs `command` with `orders` on stdin and the host's own stdout and stderr; returns its exit code."""
        process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=subprocess.PIPE)
        self._keep(process)
        process.communicate(orders)
        self._forget(process)
        return process.returncode

    def start(self, command: Sequence[str], cwd: str | Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts `command` with stdout and stderr to read from; `stream` or `end` has to follow."""
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._keep(process)
        return process

    def stream(self, process: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
        """``("stdout" | "stderr", bytes)`` as they come, until the process has ended."""
        chunks: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

        def pump(name: str, pipe: IO[bytes]) -> None:
            with pipe:
                while chunk := os.read(pipe.fileno(), _CHUNK):
                    chunks.put((name, chunk))
            chunks.put((name, b""))

        for name in ("stdout", "stderr"):
            threading.Thread(target=pump, args=(name, getattr(process, name)), daemon=True).start()
        open_pipes = 2
        while open_pipes:
            name, chunk = chunks.get()
            if chunk:
                yield name, chunk
            else:
                open_pipes -= 1
        process.wait()
        self._forget(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Interrupts the process, and kills it if it does not end."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._forget(process)

    def end_all(self) -> None:
        with self._lock:
            running = list(self._running)
        for process in running:
            self.end(process)

    def _keep(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.add(process)

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._running.discard(process)
