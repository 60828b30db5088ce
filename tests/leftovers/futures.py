"""Futures that nobody asked for their outcome, and event loops that nobody closed.

asyncio complains of such a future when it is finalized, which is whenever the garbage collector comes by: in another
test, or in the middle of a parser that does not bear it. They are looked for at the end of each test that made a loop.
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
    """Sees every loop that is made, and what is complained of in any of them."""

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
        """Complaints, futures to complain of and open loops since the last call. Each future is told of once."""
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
    """Whatever is garbage already is among all objects too: nothing needs to be collected for this.

    By `type`, since `isinstance` asks an object for its class, and a module that is loaded when it is first asked for
    something would load.
    """
    return [found for found in gc.get_objects() if issubclass(type(found), asyncio.Future) and _matters(found)]


def _matters(future: asyncio.Future[Any]) -> bool:
    """A plain future that never came true is silent when it ends; a task is not."""
    if future.done():
        return future._log_traceback
    return getattr(future, "_log_destroy_pending", False) and not future.get_loop().is_running()


def _disarmed(future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """Its finalizer is to be silent: it has been told of."""
    if future.done():
        future._log_traceback = False
    else:
        future._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue]
    return future
