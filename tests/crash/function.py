"""The function's sandbox: one worker process at a time, called as Lambda calls it, killed when a fault says so.

Owns the process and the address that the cell's Lambda relays events to. Leaves out what runs in it (`worker.py`).
"""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.crash import worker
from tests.crash.script import Script

KILLED = "the function's process was killed"


def _silent(step: str, failure: str | None) -> None:
    del step, failure


class Function:
    """Runs one invocation at a time, as a rotation needs. `environment` is all that the worker sees."""

    def __init__(self, script: Script, log: Path) -> None:
        self.environment: Mapping[str, str] = {}
        self.log = log
        self.mistake: str | None = None
        self.cold_steps = False
        """Whether every invocation finds a function that remembers nothing."""
        self.failures: list[str] = []
        """Of the invocations since `forget`, in order, each with its step."""
        self.steps: list[str] = []
        self.ended = threading.Event()
        """Set at the end of each invocation; who waits for the next one clears it."""
        self.before: Callable[[str], None] = lambda step: None
        self.after: Callable[[str, str | None], None] = _silent
        self._script = script
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.crash.worker"])
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._cold = True
        self._one = threading.Lock()
        self._ending = threading.Lock()

    def forget(self) -> None:
        """The next invocation meets a cold function; what was recorded is gone."""
        self._cold = True
        self.failures, self.steps = [], []

    def kill(self) -> None:
        """SIGKILL: nothing of the function runs on, no handler for errors either."""
        with self._ending:
            if self._process is not None:
                self._process.kill()
                self._process.join()

    def invoke(self, event: dict[str, Any]) -> str | None:
        """None, or why the invocation failed."""
        with self._one:
            step = event["Step"]
            self.before(step)
            self._script.invocation_begins(step)
            self.steps.append(step)
            try:
                pipe = self._alive()
                pipe.send((event, self._cold or self.cold_steps, self._script.patience))
                failure = pipe.recv()
            except (EOFError, ConnectionError):
                failure = KILLED
                self._end()
            self._cold = False
            self._script.invocation_ends()
            if failure is not None:
                self.failures.append(f"{step}: {failure}")
            self.after(step, failure)
            self.ended.set()
            return failure

    @contextmanager
    def mistaken(self, mistake: str) -> Generator[None]:
        """Runs a function that makes one of `sabotage.py`'s mistakes."""
        self._end()
        self.mistake = mistake
        try:
            yield
        finally:
            self._end()
            self.mistake = None

    def _alive(self) -> Connection:
        if self._process is None or self._pipe is None:
            ours, theirs = self._context.Pipe()
            arguments = (theirs, dict(self.environment), str(self.log), self.mistake)
            self._process = self._context.Process(target=worker.serve, args=arguments, daemon=True)
            self._process.start()
            theirs.close()
            self._pipe = ours
        return self._pipe

    def _end(self) -> None:
        self.kill()
        with self._ending:
            if self._pipe is not None:
                self._pipe.close()
            if self._process is not None:
                self._process.close()
            self._process = self._pipe = None

    @contextmanager
    def served(self) -> Generator[str]:
        """Yields the address for `relay.py`."""
        function = self

        class Listener(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:
                """An event holds no secret, and no line of it helps either."""

            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = json.dumps(function.invoke(event)).encode()
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            self._end()
