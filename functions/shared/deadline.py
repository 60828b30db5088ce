"""How much of an invocation's time is left, and waits that fit into it.

Reads the Lambda context once, then measures with the monotonic clock: a changed wall clock, or a context that always
answers the same, does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class LambdaContext(Protocol):
    """What the functions use of the object that Lambda passes to a handler."""

    def get_remaining_time_in_millis(self) -> int: ...


class Deadline:
    """`seconds` from now until Lambda stops the invocation."""

    def __init__(
        self,
        seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._end = monotonic() + seconds

    @classmethod
    def of(cls, context: LambdaContext) -> Deadline:
        return cls(context.get_remaining_time_in_millis() / 1000)

    def now(self) -> float:
        """Seconds on the clock that this deadline is measured by: for differences only."""
        return self._monotonic()

    def remaining(self) -> float:
        """Seconds left; negative once the time is over."""
        return self._end - self._monotonic()

    def pause(self, seconds: float, *, keep: float) -> bool:
        """Waits, if at least `keep` seconds are left afterwards. False: it did not wait."""
        if self.remaining() - seconds < keep:
            return False
        self._sleep(seconds)
        return True
