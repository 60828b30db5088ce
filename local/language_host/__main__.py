"""`pulumi-language-python [ENGINE_ADDRESS]`: serves the engine that started it, and ends with it.

The engine reads the port from the first line of stdout; every later line there is output of the program.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from local.language_host.host import LanguageHost

_MAX_MESSAGE: Final = 400 * 1024 * 1024
"""The engine's own limit."""

_LOOK_EVERY_SECONDS: Final = 0.5


def main() -> None:
    # The engine's flags, for its logs or a tracing endpoint, come before its address and mean nothing here.
    host = LanguageHost(sys.argv[-1] if len(sys.argv) > 1 else "")
    # Each policy pack uses one thread while it runs.
    server = grpc.server(
        ThreadPoolExecutor(max_workers=64),
        options=[("grpc.max_send_message_length", _MAX_MESSAGE), ("grpc.max_receive_message_length", _MAX_MESSAGE)],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = threading.Event()

    # An engine that ends interrupts its plugins; a killed one cannot, but then this process gets another parent.
    def stop(number: int, frame: object) -> None:  # noqa: ARG001  (the shape of a signal handler)
        done.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    threading.Thread(target=_watch, args=(os.getppid(), done), daemon=True).start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    done.wait()
    host.end_all()
    server.stop(None)


def _watch(engine: int, done: threading.Event) -> None:
    while os.getppid() == engine:
        time.sleep(_LOOK_EVERY_SECONDS)
    done.set()


if __name__ == "__main__":
    main()
