"""A proxy on loopback before one service, which makes single calls go wrong on the wire.

Owns forwarding and acting faults out: the caller meets real bytes, real resets and real silence. Leaves out which call
meets what (`script.py`). One upstream connection a call; the caller may keep its own alive, as boto3 does.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from tests.crash.faults import Fault
from tests.crash.script import Script, call_name

_SILENCE_SECONDS: Final = 30.0
"""Longer than any caller here waits; the caller's leaving ends it."""
_RESET: Final = struct.pack("ii", 1, 0)
_HOP: Final = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})

Answer = tuple[int, list[tuple[str, str]], bytes]


class Proxy:
    """Stands before `upstream`, e.g. ``http://127.0.0.1:4567/v1``; `url` is its own address with the same path.
    `kill` ends the function's process and returns when it is gone."""

    def __init__(self, upstream: str, script: Script, kill: Callable[[], None]) -> None:
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname or "", parts.port or 80)
        self.script = script
        self.kill = kill
        self.strangers: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.proxy = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}{parts.path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def take(self) -> list[str]:
        """The calls that no rotation makes, since the last look."""
        found, self.strangers = self.strangers, []
        return found

    @contextmanager
    def running(self) -> Generator[Proxy]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: an Authorization header or a minted key must reach no output."""

    def _handle(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            name = call_name(self.command, self.path, self.headers, body)
        except ValueError as stranger:
            proxy.strangers.append(str(stranger))
            self._answer((400, [], b"{}"))
            return
        fault = proxy.script.meets(name)
        if fault is None:
            self._answer(self._forward(proxy, body))
            return
        answer = self._forward(proxy, body) if fault.applied else None
        self._go_wrong(proxy, fault, answer, aws="X-Amz-Target" in self.headers)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _forward(self, proxy: Proxy, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(*proxy.upstream, timeout=30)
        try:
            # Host included: it is under the signature of AWS's requests.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            if body or self.command == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            with connection.getresponse() as response:
                headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP]
                return response.status, headers, response.read()
        finally:
            connection.close()

    def _go_wrong(self, proxy: Proxy, fault: Fault, answer: Answer | None, *, aws: bool) -> None:
        match fault.how:
            case "kill":
                proxy.kill()
                self._reset()
            case "500":
                error: Any = {"message": "The server had an error", "type": "server_error", "code": None}
                self._answer_json(500, {"__type": "InternalServiceError"} if aws else {"error": error})
            case "429":
                error = {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}
                self._answer_json(429, {} if aws else {"error": error})
            case "reset":
                self._reset()
            case "silence":
                self.connection.settimeout(_SILENCE_SECONDS)
                self.connection.recv(1)
                self._reset()
            case "truncate":
                assert answer is not None
                self._answer(answer, cut=True)
                self._reset()

    def _answer_json(self, status: int, content: dict[str, Any]) -> None:
        self._answer((status, [("Content-Type", "application/json")], json.dumps(content).encode()))

    def _answer(self, answer: Answer, *, cut: bool = False) -> None:
        # A function that was killed, or has given up, no longer listens.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(answer, cut=cut)

    def _send(self, answer: Answer, *, cut: bool) -> None:
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            # A reset throws away what is on its way; the half that was sent is to arrive.
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.recv(1)

    def _reset(self) -> None:
        self.close_connection = True
        if self.connection.fileno() >= 0:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            os.close(self.connection.detach())
