"""The two servers of a local cell: their modules, and their health checks."""

from __future__ import annotations

import http.client
import time
from typing import Final

from local.process import ServerProcess

SIDES: Final = {
    "aws": ("local.aws.server", "/_ministack/health"),
    "openai": ("local.openai.server", "/_emulator/health"),
}
"""Name to module and the path that answers 200 when the side is ready."""

_READY_SECONDS: Final = 60.0


class CellError(RuntimeError):
    """The cell cannot be started, found or used. The message says why and what to do."""


class PortTakenError(CellError):
    """Something else took a side's port between its choice and its use."""


def symptom(server: ServerProcess) -> str | None:
    """What is wrong with a server, for a person; None if it runs and answers."""
    if not server.alive():
        return f"its {server.name} side has ended (see {server.log})"
    if not _healthy(server):
        return f"its {server.name} side on port {server.port} runs but does not answer"
    return None


def _healthy(server: ServerProcess) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", SIDES[server.name][1])
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def await_health(server: ServerProcess) -> None:
    """Returns when the side answers. Raises CellError with its last words when it ends or takes too long."""
    give_up = time.monotonic() + _READY_SECONDS
    while not (_healthy(server) and server.alive()):
        if not server.alive():
            words = server.last_words()
            kind = PortTakenError if "address already in use" in words.lower() else CellError
            raise kind(f"the cell's {server.name} side ended while it was starting:\n{words}")
        if time.monotonic() > give_up:
            raise CellError(
                f"the cell's {server.name} side was not ready after {_READY_SECONDS:.0f} s:\n{server.last_words()}"
            )
        time.sleep(0.02)
