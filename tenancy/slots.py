"""When a tenant's key rotates: its own cron schedule (slot), spread over the cell by a hash.

Owns the schedule in Secrets Manager's cron dialect: minutes 0, hours one number or ``start/step``, year ``*``, `?` in
one of the two day fields, UTC, a window that ends within its UTC day
(https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html). Leaves out ``rate()``, which
would open at midnight UTC for everybody.

Cron cannot count days across months, so an interval becomes the rarest pattern below whose longest gap is within it:
30 days is twice a month (at most 16 days), 31 is once a month. Gaps are measured from slot to slot; AWS starts a
rotation at any time in the window that opens there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

HOURLY_STEPS: Final = (4, 6, 8, 12)
"""They divide the day evenly, since AWS's increments start again each day. AWS rotates at most every four hours."""

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class _Draw:
    """Pseudo-random numbers: always the same for one tenant of one cell, and evenly spread over tenants."""

    def __init__(self, tenant: str, cell: str) -> None:
        self._rest = int.from_bytes(hashlib.sha256(f"{cell}/{tenant}".encode()).digest(), "big")

    def below(self, size: int) -> int:
        self._rest, drawn = divmod(self._rest, size)
        return drawn


@dataclass(frozen=True)
class Pattern:
    """A regular repetition: its longest and shortest gap in days over every year, and its day, month and weekday
    fields."""

    words: str
    longest: int
    shortest: int
    fields: Callable[[_Draw], str]


def _weekdays(*offsets: int) -> Callable[[_Draw], str]:
    def fields(draw: _Draw) -> str:
        start = draw.below(7)
        days = sorted((start + offset) % 7 for offset in offsets)
        return f"? * {','.join(_DAYS[day] for day in days)}"

    return fields


def _month_days(*offsets: int) -> Callable[[_Draw], str]:
    """Never after the 28th, which every month has."""

    def fields(draw: _Draw) -> str:
        first = 1 + draw.below(28 - max(offsets))
        return f"{','.join(str(first + offset) for offset in offsets)} * ?"

    return fields


def _months(step: int) -> Callable[[_Draw], str]:
    def fields(draw: _Draw) -> str:
        day, first = 1 + draw.below(28), 1 + draw.below(step)
        return f"{day} {','.join(str(month) for month in range(first, 13, step))} ?"

    return fields


PATTERNS: Final = (
    Pattern("every day", 1, 1, lambda _: "* * ?"),
    Pattern("four days a week", 2, 1, _weekdays(0, 2, 4, 6)),
    Pattern("three days a week", 3, 2, _weekdays(0, 2, 4)),
    Pattern("two days a week", 4, 3, _weekdays(0, 3)),
    Pattern("once a week", 7, 7, _weekdays(0)),
    Pattern("three times a month", 11, 8, _month_days(0, 10, 20)),
    Pattern("twice a month", 16, 13, _month_days(0, 15)),
    Pattern("once a month", 31, 28, _month_days(0)),
    Pattern("every second month", 62, 59, _months(2)),
    Pattern("every third month", 92, 89, _months(3)),
    Pattern("every fourth month", 123, 120, _months(4)),
    Pattern("every sixth month", 184, 181, _months(6)),
)
"""From often to rare. The gaps include February, leap years and the end of the year, as the tests check."""


def pattern(every_days: int) -> Pattern:
    """The rarest pattern that never leaves more than `every_days` days (at least 1) between two slots."""
    if every_days < 1:
        raise ValueError(f"interval must be at least 1 day, got {every_days}")
    return [known for known in PATTERNS if known.longest <= every_days][-1]


def cron(tenant: str, cell: str, interval_hours: int) -> str:
    """The schedule for RotationRules.ScheduleExpression. The same arguments always give the same slot.

    `interval_hours` is one of HOURLY_STEPS or a whole number of days; anything else raises ValueError.
    """
    draw = _Draw(tenant, cell)
    if interval_hours in HOURLY_STEPS:
        return f"cron(0 {1 + draw.below(interval_hours - 1)}/{interval_hours} * * ? *)"
    days, rest = divmod(interval_hours, 24)
    if rest or days < 1:
        raise ValueError(f"interval must be one of {HOURLY_STEPS} hours or whole days, got {interval_hours} hours")
    hour = 1 + draw.below(20)
    return f"cron(0 {hour} {pattern(days).fields(draw)} *)"


def window(interval_hours: int) -> str:
    """RotationRules.Duration: how long AWS may start and retry a rotation. Ends before midnight UTC for every slot."""
    return "1h" if interval_hours in HOURLY_STEPS else "4h"


def shortest_gap_hours(interval_hours: int) -> int:
    """The least time between two rotations, in hours: if an old key is valid for longer, three keys are valid at
    once."""
    return interval_hours if interval_hours in HOURLY_STEPS else 24 * pattern(interval_hours // 24).shortest
