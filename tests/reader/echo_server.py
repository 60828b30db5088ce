"""OpenAI as far as it takes to see whose question an answer is for: real sockets, kept alive, in clear or over TLS.

Owns what was asked on which connection. A question is the text of its last message, and the answer repeats it.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.reader.openai_stand_in import ANSWER


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that ends takes its connections with it; the tests look at what was asked."""


class EchoServer:
    """`asked` has each connection's questions, in order. One that starts with "hold" waits for `release`."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.asked: defaultdict[int, list[str]] = defaultdict(list)
        self.held = threading.Semaphore(0)
        self.release = threading.Event()
        self._connections = count()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            timeout = 600

            def setup(self) -> None:
                super().setup()
                self.number = next(server._connections)

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                question = asked["messages"][-1]["content"]
                server.asked[self.number].append(question)
                if question.startswith("hold"):
                    server.held.release()
                    server.release.wait(60)
                message = {"role": "assistant", "content": question}
                choice = {"index": 0, "finish_reason": "stop", "message": message}
                content = json.dumps(ANSWER | {"choices": [choice]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read their own output."""

        return Handler


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that only who is given this file trusts."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            key,
            "-out",
            file,
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    file.write_text(file.read_text(encoding="utf-8") + key.read_text(encoding="utf-8"), encoding="utf-8")
    return file
