"""The repository's program inside this process: a worker loads its modules once for all its stacks.

Owns whether this process may run it. Leaves out the engine (`engine`) and the program itself (`program`). The SDK keeps
each run's stack, configuration and connections in a context of its own, so nothing of one stack reaches the next:
https://www.pulumi.com/docs/iac/guides/building-extending/automation-api/concepts-terminology/
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import grpc
from pulumi.runtime import settings

import program
from ops.stacks import sources
from tenancy.address import LOCAL_OPENAI_URL

_ASYNCIO: Final = "asyncio"
_SERVER: Final = "grpc._server"

_LOADED: Final = sources.code_digest()
"""Of the code that this process has loaded: a cluster's worker may live on while its checkout changes."""


def runnable(fleet: Path, environment: Mapping[str, str]) -> Callable[[], None] | None:
    """What `__main__.py` runs, with the same arguments; `fleet` holds tenants/ and cells/. None where the files are no
    longer those that were loaded: the engine then starts a process for them."""
    if sources.code_digest() != _LOADED:
        return None

    def run() -> None:
        _let_the_engine_end_first()
        program.deploy(
            fleet,
            adopt=environment.get(program.ADOPT) or None,
            local_openai_url=environment.get(LOCAL_OPENAI_URL) or None,
        )

    return run


def _let_the_engine_end_first() -> None:
    """The SDK logs to the engine while it cleans up, and leaves an open event loop behind where the engine has ended
    by then, as after a policy's refusal. What nobody hears any more is no error."""
    engine = cast(Any, settings.get_engine())
    tell = engine.Log

    def log(request: Any) -> Any:
        try:
            return tell(request)
        except grpc.RpcError as error:
            if cast(Any, error).code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return None

    engine.Log = log


class _OwnLogging:
    """The levels before the first program, while at least one runs. Two threads may each run one at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._before: dict[str, int] = {}

    def begin(self) -> None:
        with self._lock:
            if self._running == 0:
                self._before = {name: logging.getLogger(name).level for name in (_ASYNCIO, _SERVER)}
                logging.getLogger(_SERVER).setLevel(logging.CRITICAL)
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0:
                for name, level in self._before.items():
                    logging.getLogger(name).setLevel(level)


_own_logging: Final = _OwnLogging()


@contextmanager
def own_logging() -> Generator[None]:
    """Undoes what the SDK sets for the whole process while a program runs: asyncio's warnings are switched off.

    Nor does gRPC show the traceback of a program whose engine was killed: what became of the engine is told
    (`failure`)."""
    _own_logging.begin()
    try:
        yield
    finally:
        _own_logging.end()
