"""A token endpoint that answers what a test says, over real HTTP: what OpenAI, or a proxy before it, never should."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class ExchangeServer:
    """`requests` are the paths, headers and bodies that came. Answers are the last in `answers` again and again, after
    the ones before it; one that is None closes the connection."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes] | None) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.held: threading.Event | None = None
        """The first request that comes waits for it."""
        self.came = threading.Event()
        self.seconds = 0.0
        """How long each answer takes."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.base_url = f"{self.root}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                held, server.held = server.held, None
                server.came.set()
                if held is not None:
                    held.wait(600)
                time.sleep(server.seconds)
                answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read their own output."""

        return Handler


def answer(status: int, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, content


def granted(token: str = "token-of-openai", seconds: Any = 900) -> tuple[int, dict[str, str], bytes]:
    return answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": seconds})
