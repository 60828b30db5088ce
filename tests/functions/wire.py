"""A server that answers one request as a test says, byte by byte: what no well-behaved HTTP server would send."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field


@dataclass
class Wire:
    url: str
    requests: list[bytes] = field(default_factory=list[bytes])


@contextlib.contextmanager
def wire(answer: bytes, *, reset: bool = False, drip: float = 0.0, silent: float = 0.0) -> Generator[Wire]:
    """Answers every request with `answer`; `reset` ends with a TCP reset, `drip` sends a byte each so many seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
        listener.settimeout(5)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    told.requests.append(_request(connection))
                    ended.wait(silent)
                    with contextlib.suppress(OSError):
                        _send(connection, answer, drip, ended)
                    if reset:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve)
        thread.start()
        yield told
        ended.set()
        with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), 1):
            pass
        thread.join(5)
        assert not thread.is_alive()


def _send(connection: socket.socket, answer: bytes, drip: float, ended: threading.Event) -> None:
    if not drip:
        connection.sendall(answer)
        return
    for byte in answer:
        if ended.is_set():
            return
        connection.sendall(bytes([byte]))
        time.sleep(drip)


def _request(connection: socket.socket) -> bytes:
    """Reads head and body: a server that closes with bytes unread resets the connection."""
    connection.settimeout(1)
    content = b""
    with contextlib.suppress(OSError):
        while not _whole(content):
            chunk = connection.recv(65536)
            if not chunk:
                break
            content += chunk
    return content


def _whole(content: bytes) -> bool:
    head, end, body = content.partition(b"\r\n\r\n")
    size = re.search(rb"content-length: (\d+)", head.lower())
    return bool(end) and len(body) >= (int(size[1]) if size else 0)


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
