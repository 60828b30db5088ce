"""Serves one visit on the loopback address, until it ends.

A port that the system chooses, known to whoever gets the link. Nothing is logged: neither requests nor bodies. Every
answer has the same headers, also those that `http.server` makes by itself.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, cast

from ops.handover_page import asked, page
from ops.handover_page.visit import Refused, Test, Visit

ADDRESS: Final = "127.0.0.1"
_SECONDS_FOR_A_REQUEST: Final = 10
_TAB: Final = "x-tab"
_TESTS: Final[tuple[Test, ...]] = ("worked", "not_tried")


class Server:
    """Answers from its making to `close`. `link` opens the page once."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self._ended = threading.Event()
        self._http = ThreadingHTTPServer((ADDRESS, 0), _handler_of(self))
        # So that `close` waits for the answers that are under way.
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        return f"{ADDRESS}:{self._http.server_address[1]}"

    @property
    def link(self) -> str:
        return f"http://{self.host}/#{self.visit.token}"

    def wait(self) -> None:
        """Until the visit has ended."""
        while self.visit.end is None:
            self._ended.wait(self.visit.wait_seconds())
            self._ended.clear()
            self.visit.look()

    def wake(self) -> None:
        """Something has changed that `wait` may wait for."""
        self._ended.set()

    def close(self) -> None:
        """After the answers that are under way."""
        self.visit.stop()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def serving(visit: Visit) -> Generator[Server]:
    server = Server(visit)
    try:
        yield server
    finally:
        server.close()


def _handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    """HTTP/1.0: each request has a connection of its own, so none is left open at the end."""
    visit = server.visit

    def on_saved(tab: str, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("test") not in _TESTS:
            raise Refused("no_answer")
        return visit.saved(tab, cast(Test, fields["test"]))

    def of_tab(method: Callable[[str], dict[str, Any]]) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
        return lambda tab, _fields: method(tab)

    asks: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
        "/open": lambda _tab, fields: visit.open(str(fields.get("token", "")).encode("ascii", "replace").decode()),
        "/key": of_tab(visit.key),
        "/copied": of_tab(visit.copied),
        "/clear": of_tab(visit.clear),
        "/cleared": of_tab(visit.cleared),
        "/saved": on_saved,
        "/later": of_tab(visit.later),
        "/left": of_tab(visit.left),
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS_FOR_A_REQUEST
        server_version, sys_version = "myflux-keys", ""

        def answer(self) -> None:
            if self.request_version == "HTTP/0.9":
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            if refused := asked.refusal(self.command, self.path, headers, server.host):
                self._send_json(refused.status, {"error": refused.error})
            elif self.command == "GET":
                self._send(HTTPStatus.OK, "text/html; charset=utf-8", page.HTML)
            else:
                self._answer_ask(headers)

        def _answer_ask(self, headers: dict[str, str]) -> None:
            try:
                fields: Any = json.loads(self.rfile.read(int(headers["content-length"])))
            except (ValueError, RecursionError):
                fields = None
            if not isinstance(fields, dict):
                self._send_json(HTTPStatus.BAD_REQUEST, {"error": "not_json"})
                return
            tab = headers.get(_TAB, "").encode("ascii", "replace").decode()
            try:
                found = asks[self.path](tab, cast("dict[str, Any]", fields))
            except Refused as refused:
                self._send_json(HTTPStatus.FORBIDDEN, {"error": refused.error, "text": refused.text})
            else:
                self._send_json(HTTPStatus.OK, found)
            finally:
                server.wake()

        def _send_json(self, status: int, content: dict[str, Any]) -> None:
            self._send(status, "application/json; charset=utf-8", json.dumps(content))

        def _send(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def send_error(self, code: int, *_: Any, **__: Any) -> None:
            """As `http.server` calls it for what it cannot read. Its own text would repeat the request."""
            self.command, self.request_version = getattr(self, "command", None) or "GET", self.protocol_version
            self._send_json(code, {"error": "not_http"})

        def end_headers(self) -> None:
            for name, value in page.HEADERS.items():
                self.send_header(name, value)
            super().end_headers()

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                # The browser has left: its page cannot be told anything any more.
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

        def __getattr__(self, name: str) -> Any:
            """``do_GET`` and all others: `asked` decides on the method."""
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

    return Handler
