"""When the next rotation may start, so that a command that starts many stays within OpenAI's Admin API limit."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from myflux_keys.admin_budget import ROTATIONS_PER_MINUTE, WINDOW_SECONDS

ROTATION_SECONDS: Final = 20.0
"""From RotateSecret to AWSCURRENT when nothing fails: a cold start, some calls, a real call with the new key."""


@dataclass(frozen=True)
class Budget:
    """`per_minute`: how many rotations may start in any minute."""

    per_minute: int = ROTATIONS_PER_MINUTE

    def seconds_for(self, count: int, already: int = 0) -> float:
        """Seconds until `count` rotations are done, where `already` were started in the window before."""
        if count <= 0:
            return 0.0
        return math.floor((count + already - 1) / self.per_minute) * WINDOW_SECONDS + ROTATION_SECONDS


class Pace:
    """Waits until the next start is allowed. `started` are earlier starts, in seconds by `now`'s clock."""

    def __init__(
        self,
        budget: Budget,
        started: Iterable[float] = (),
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.others = 0
        """Rotations of the cell that others started and that count against the budget now."""
        self._budget = budget
        self._now = now
        self._sleep = sleep
        self._recent = deque(sorted(started)[-budget.per_minute :], maxlen=budget.per_minute)

    def delay(self) -> float:
        """Seconds until the next start; 0 for now. At most one window, also where the clock was changed."""
        turns = max(self._budget.per_minute - self.others, 1)
        if len(self._recent) < turns:
            return 0.0
        return min(max(self._recent[-turns] + WINDOW_SECONDS - self._now(), 0.0), WINDOW_SECONDS)

    def take(self) -> float:
        """Waits until a start is allowed, and records it; returns its time."""
        while (pause := self.delay()) > 0:
            self._sleep(pause)
        moment = self._now()
        self._recent.append(moment)
        return moment

    def in_window(self) -> int:
        """Starts that still count against the budget."""
        return sum(moment > self._now() - WINDOW_SECONDS for moment in self._recent)


def spoken(seconds: float) -> str:
    """``40 s``, ``12 min``, ``4 h 45 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
