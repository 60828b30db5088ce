"""A gate between the engine and AWS that holds one request or answer back, so that a test strikes at an exact moment.

Owns passing requests on, byte for byte, and holding the first one that matches. Leaves out what happens meanwhile.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """A request as it came, with its signature."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    port: int
    """Of who asks."""


class Gate:
    """`url` is where the engine believes AWS to be. `held` is set once the matching call is held. `asked` holds every
    request that came through and counts."""

    def __init__(self, port: int, aws_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self._aws_port = aws_port
        self.held = threading.Event()
        self.opened = threading.Event()

    def send(self, asked: Asked) -> tuple[http.client.HTTPResponse, bytes]:
        """AWS's answer to the request, byte for byte."""
        upstream = http.client.HTTPConnection("127.0.0.1", self._aws_port, timeout=120)
        try:
            # The signature covers the Host header: it goes on as it came.
            upstream.putrequest(asked.method, asked.path, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers:
                upstream.putheader(name, value)
            upstream.endheaders(asked.body)
            answer = upstream.getresponse()
            return answer, answer.read()
        finally:
            upstream.close()


@contextmanager
def gate(
    aws_port: int,
    holds: Callable[[str, str], bool],
    *,
    early: bool = False,
    counts: Callable[[Asked], bool] = lambda _asked: True,
) -> Generator[Gate]:
    """`counts` is asked first, before AWS is: a request that does not count goes on, and is not held.

    `holds` is asked with a request's X-Amz-Target and path. Only the first match is held, until `opened` is set: its
    answer, once AWS has applied the call, or with `early` the request. AWS never gets a request that is held while who
    asks for it ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # A client that was killed resets its connections.
            with suppress(ConnectionResetError):
                super().handle()

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, self.headers.items(), body, self.client_address[1])
            counted = counts(asked)
            if counted:
                made.asked.append(asked)
            if counted and early and self._is_held() and self._has_lost_its_asker():
                self.close_connection = True
                return
            answer, content = made.send(asked)
            if counted and not early:
                self._is_held()
            try:
                # With AWS's own Date, which a command takes for the time.
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                # The engine that asked was killed: nobody waits for this answer.
                self.close_connection = True

        def _is_held(self) -> bool:
            """True after it was held."""
            if not holds(self.headers.get("X-Amz-Target", ""), self.path) or made.held.is_set():
                return False
            made.held.set()
            made.opened.wait(60)
            return True

        def _has_lost_its_asker(self) -> bool:
            try:
                return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    for method in ("DELETE", "GET", "HEAD", "POST", "PUT"):
        setattr(Handler, f"do_{method}", Handler.pass_on)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        made = Gate(server.server_address[1], aws_port)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.opened.set()
            server.shutdown()
            thread.join()
