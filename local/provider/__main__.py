"""Serves the provider. The executable `pulumi-resource-aws` on PATH runs it, with the engine's address as argument.

Its first line of output is its port, as the engine expects. It ends with the engine: on SIGINT (the engine sends it at
its end, and waits five seconds), on SIGTERM, when its parent process has ended, or when the engine's address no longer
answers. So no provider keeps running after a killed engine. The engine runs its plugins in separate process groups:
Ctrl-C at the terminal reaches only the engine, which then calls Cancel.
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
"""Bytes; the engine's own limit. gRPC's default of 4 MB is less than the code of a large function."""

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
    # Threads that wait for AWS must not keep the process running: nobody reads their result any more.
    os._exit(0)


if __name__ == "__main__":
    main()
