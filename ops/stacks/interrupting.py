"""Ctrl-C while the engine runs: this process waits for the engine, which finishes its step, writes its state and
removes its lock. A terminal sends the signal to both; to exit first would kill the engine and leave the lock."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from ops.stacks.engine import OperationFailed


@contextmanager
def left_to_the_engine() -> Generator[None]:
    """For the main thread. Raises KeyboardInterrupt at the end if Ctrl-C was pressed."""
    pressed: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    except OperationFailed:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
