"""Futures whose result was never retrieved, and event loops that were never closed.

asyncio reports such a future when it is finalized, which is whenever the garbage collector runs: in another test, or
inside a parser that fails because of it. So the end of each test that made a loop searches for them.
"""

from __future__ import annotations

import asyncio
import gc
from asyncio.base_events import BaseEventLoop
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import pytest


class Watch:
    """Records every event loop that is made, and the errors that any of them reports."""

    def __init__(self) -> None:
        self._loops: WeakSet[BaseEventLoop] = WeakSet()
        self._made = False
        self._complaints: list[str] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        watch, make, complain = self, BaseEventLoop.__init__, BaseEventLoop.call_exception_handler

        def made(loop: BaseEventLoop) -> None:
            make(loop)
            watch._loops.add(loop)
            watch._made = True

        def call_exception_handler(loop: BaseEventLoop, context: Mapping[str, Any]) -> None:
            watch._complaints.append(f"{context.get('message')}: {context.get('future') or context.get('task')!r}")
            complain(loop, dict(context))

        monkeypatch.setattr(BaseEventLoop, "__init__", made)
        monkeypatch.setattr(BaseEventLoop, "call_exception_handler", call_exception_handler)

    def left(self) -> list[str]:
        """Errors, futures to report and open loops since the last call. Each future is reported once."""
        told, self._complaints = self._complaints, []
        if self._made:
            self._made = False
            for loop in list(self._loops):
                if not loop.is_running():
                    self._loops.discard(loop)
                    told += [] if loop.is_closed() else [f"event loop {loop!r}"]
            told += [f"future {_disarmed(future)!r}" for future in _open()]
        return told


def _open() -> list[asyncio.Future[Any]]:
    """The list of all objects includes garbage, so this needs no collection. There are up to a million of few types, so
    the types are judged first.

    Uses `type`, since `isinstance` reads an object's `__class__`, which would load a lazily loaded module.
    """
    objects = gc.get_objects()
    futures = {each for each in set(map(type, objects)) if issubclass(each, asyncio.Future)}
    return [found for found in objects if type(found) in futures and _matters(found)] if futures else []


def _matters(future: asyncio.Future[Any]) -> bool:
    """Whether asyncio would report it: a plain future that never got a result is not reported, a pending task is."""
    if future.done():
        return future._log_traceback
    return getattr(future, "_log_destroy_pending", False) and not future.get_loop().is_running()


def _disarmed(future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """Stops the finalizer's report: the future has been reported already."""
    if future.done():
        future._log_traceback = False
    else:
        future._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
    return future
