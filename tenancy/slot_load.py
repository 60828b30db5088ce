"""How many rotations start in one hour, compared with the rate limit of OpenAI's Admin API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from myflux_keys.admin_budget import CALLS_PER_MINUTE

ROTATIONS_AN_HOUR: Final = CALLS_PER_MINUTE * 60
"""What the rate limit allows in an hour. A rotation lists keys, mints one and changes the old one's expiry: one call
each on three endpoints, whose calls are counted separately."""

_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_LOOK_AHEAD: Final = 366
"""Days. Every pattern of `slots` repeats at least once in them."""


@dataclass(frozen=True)
class SlotLoad:
    """A cell's rotations over a year. `peak`: the most in one hour. `histogram`: number of rotations in an hour to the
    number of such hours, without empty hours."""

    rotations: int
    peak: int
    peak_at: datetime | None
    histogram: dict[int, int]

    @property
    def fits(self) -> bool:
        return self.peak <= ROTATIONS_AN_HOUR


def openings(schedule: str, first: date, days: int) -> Iterator[datetime]:
    """When the windows of `schedule`, an expression of `slots.cron`, open on `days` days from `first`, in UTC."""
    fields = re.fullmatch(r"cron\(0 (\d+)(?:/(\d+))? (\S+) (\S+) (\S+) \*\)", schedule)
    if fields is None:
        raise ValueError(f"{schedule} is not an expression of slots.cron")
    hour, step, month_days, months, weekdays = fields.groups()
    hours = range(int(hour), 24, int(step)) if step else (int(hour),)
    for ahead in range(days):
        day = first + timedelta(days=ahead)
        if (
            (month_days in ("*", "?") or str(day.day) in month_days.split(","))
            and (months == "*" or str(day.month) in months.split(","))
            and (weekdays in ("*", "?") or _DAYS[day.weekday()] in weekdays.split(","))
        ):
            for opening in hours:
                yield datetime(day.year, day.month, day.day, opening, tzinfo=UTC)


def slot_load(schedules: Iterable[str], first: date, days: int = _LOOK_AHEAD) -> SlotLoad:
    """Counts the rotations of each hour. A window of several hours counts in its first hour, since AWS may start all of
    them then. Tenants often share an expression, so each expression is evaluated once."""
    by_hour: Counter[datetime] = Counter()
    for schedule, tenants in Counter(schedules).items():
        for opening in openings(schedule, first, days):
            by_hour[opening] += tenants
    peak_at = max(by_hour, key=lambda hour: (by_hour[hour], -hour.timestamp()), default=None)
    return SlotLoad(
        rotations=by_hour.total(),
        peak=by_hour[peak_at] if peak_at else 0,
        peak_at=peak_at,
        histogram=dict(sorted(Counter(by_hour.values()).items())),
    )
