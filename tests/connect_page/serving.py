"""The page function behind HTTP, as a function URL serves it: real requests become events of payload 2.0.

`in_the_way` puts Lambda's own answers, and a lost network, before or behind the function.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from functions.connect.handler import handler

PREFIX = "u" * 32
HOST = f"{PREFIX}.lambda-url.us-east-1.localhost"
"""Browsers resolve every name below localhost to this machine."""

Way = Callable[[str], int | str | None]
"""By path: a status of Lambda's own, ``lost`` (no answer, nothing done), ``answer_lost`` (done), or None: nothing."""


class Context:
    """Of one invocation; the function's time-out is what the component gives it."""

    def __init__(self, seconds: float = 30) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


def event(method: str, path: str, headers: dict[str, str], body: bytes, query: str = "") -> dict[str, Any]:
    """As AWS makes it: names in lower case, cookies apart, a body that is no text in base64."""
    headers = {name.lower(): value for name, value in headers.items()}
    cookies = [one.strip() for one in headers.pop("cookie", "").split(";") if one.strip()]
    as_text = headers.get("content-type", "").startswith(("application/json", "text/"))
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": PREFIX,
            "domainName": f"{PREFIX}.lambda-url.us-east-1.on.aws",
            "domainPrefix": PREFIX,
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "00000000-0000-0000-0000-000000000000",
            "stage": "$default",
        },
        "isBase64Encoded": bool(body) and not as_text,
    }
    if cookies:
        made["cookies"] = cookies
    if body:
        made["body"] = body.decode(errors="replace") if as_text else base64.b64encode(body).decode()
    return made


class Served:
    """Runs until `stop`. `requests` are methods and paths, in order."""

    def __init__(self) -> None:
        self.in_the_way: Way = lambda _: None
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.port: int = self._server.server_address[1]
        self.url = f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request. In `headers`, ``_`` stands for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {"Host": f"{HOST}:{self.port}"} | {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            with connection.getresponse() as response:
                return response.status, response.headers, response.read()
        finally:
            connection.close()

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                served.requests.append(f"{self.command} {path}")
                way = served.in_the_way(path)
                if isinstance(way, int):
                    self._send(way, {"Content-Type": "application/json"}, [], b'{"Message":null}')
                    return
                made = event(self.command, path, dict(self.headers.items()), body, query) if way != "lost" else None
                done = handler(made, Context()) if made else None
                if way in ("lost", "answer_lost") or done is None:
                    self.close_connection = True
                    return
                content = base64.b64decode(done["body"]) if done["isBase64Encoded"] else done["body"].encode()
                self._send(done["statusCode"], done["headers"], done.get("cookies", []), content)

            def _send(self, status: int, headers: dict[str, str], cookies: list[str], content: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                for cookie in cookies:
                    self.send_header("Set-Cookie", cookie)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def __getattr__(self, name: str) -> Any:
                """``do_GET`` and all others."""
                if name.startswith("do_"):
                    return self.answer
                raise AttributeError(name)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent: the tests look at what the function logs."""

        return Answering
