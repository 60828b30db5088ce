"""Ctrl-C while the engine works: the engine's to answer, and this process waits for it.

Owns the signal. A terminal sends it to both. The engine ends the step under way, writes its state and takes its lock
off; to go before it would kill it in the middle, and leave a lock and a step of which nobody knows how it ended.
"""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from ops.stacks.engine import OperationFailed


@contextmanager
def left_to_the_engine() -> Generator[None]:
    """For the main thread. Raises KeyboardInterrupt at the end where Ctrl-C was pressed meanwhile."""
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
