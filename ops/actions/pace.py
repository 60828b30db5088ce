"""When the next rotation may start, so that a command that starts many stays within OpenAI's Admin API limit."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from myflux_keys.admin_budget import CALLS_PER_MINUTE, ROTATIONS_PER_MINUTE, WINDOW_SECONDS

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


class Paces:
    """A pace for each OpenAI organization, since each has a budget of its own. `organizations` maps the tenants whose
    keys are minted in a customer's organization to its id; the others' are the cell's."""

    def __init__(self, make: Callable[[Iterable[str]], Pace], tenants: Iterable[str], organizations: Mapping[str, str]):
        """`make` returns the pace of an organization, for the tenants that it has here."""
        self._organizations = organizations
        of: dict[str, list[str]] = {}
        for tenant in tenants:
            of.setdefault(self.organization(tenant), []).append(tenant)
        self._paces = {organization: make(found) for organization, found in of.items()}

    def organization(self, tenant: str) -> str:
        """Empty for the cell's."""
        return self._organizations.get(tenant, "")

    def of(self, tenant: str) -> Pace:
        return self._paces[self.organization(tenant)]

    def delay(self, queue: Sequence[str]) -> float:
        """Seconds until the first of `queue`, which is not empty, may start."""
        return min(self._paces[organization].delay() for organization in set(map(self.organization, queue)))

    def next(self, queue: Sequence[str]) -> str | None:
        """The first tenant of `queue` that may start now; None while nobody may."""
        ready = {organization for organization, pace in self._paces.items() if pace.delay() == 0}
        return next((tenant for tenant in queue if self.organization(tenant) in ready), None)

    def leave_to_others(self, counts: Mapping[str, int]) -> None:
        """`counts` has, by organization, the rotations that others started."""
        for organization, pace in self._paces.items():
            pace.others = counts.get(organization, 0)

    def seconds_for(self, tenants: Iterable[str], budget: Budget) -> float:
        """Seconds until the rotations of `tenants`, which are not started yet, are done."""
        counts = Counter(map(self.organization, tenants))
        return max((budget.seconds_for(n, self._paces[one].in_window()) for one, n in counts.items()), default=0.0)


def slowest(organizations: Iterable[str], budget: Budget) -> float:
    """Seconds for a rotation in each of `organizations`, which may repeat: each has a budget of its own."""
    return max(map(budget.seconds_for, Counter(organizations).values()), default=0.0)


def told(count: int, total: int, seconds: float, budget: Budget) -> str:
    """What is said before the first of many rotations."""
    return (
        f"{count:,} of {total:,} tenants to rotate: takes about {spoken(seconds)}. Limit: OpenAI's Admin API, about "
        f"{CALLS_PER_MINUTE} calls a minute to each endpoint for an organization. A rotation makes one call to each of "
        f"three endpoints, and one in {CALLS_PER_MINUTE} is left to a sweep: {budget.per_minute} rotations a minute."
    )


def spoken(seconds: float) -> str:
    """``40 s``, ``12 min``, ``4 h 45 min``."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
