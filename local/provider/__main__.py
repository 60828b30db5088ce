"""Serves the provider: what an executable `pulumi-resource-aws` on PATH runs, with the engine's address as argument.

Prints its port as the first line, as the engine expects, and ends when the engine does: on SIGINT, which the engine
sends when it is done and waits five seconds for, on SIGTERM, when the process that started it is gone, or when the
engine's address no longer answers. No provider outlives a killed engine. A Ctrl-C at the terminal reaches the engine
alone, which then says Cancel: it keeps its plugins in process groups of their own.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from local.provider.servicer import Servicer

MAX_MESSAGE = 400 * 1024 * 1024
"""As much as the engine itself sends; the default of gRPC, 4 MB, is less than a large function's code."""

LOOK_SECONDS = 1.0


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=LOOK_SECONDS):
            return True
    except OSError:
        return False


def main() -> None:
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: told.set())
    options = [("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE)]
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # With --logflow the engine's own log flags come before its address.
    engine = sys.argv[-1] if len(sys.argv) > 1 else ""
    parent = os.getppid()
    while not told.wait(LOOK_SECONDS) and os.getppid() == parent and (not engine or _answers(engine)):
        continue
    # Threads that wait for AWS must not hold the process: whoever would read their answer is gone.
    os._exit(0)


if __name__ == "__main__":
    main()
