"""When a secret is due for rotation: from RotationRules to rotation windows.

Owns the rules of schedules and windows, as pure functions of time in UTC. Leaves out cron's syntax (`cron`) and the
rotation (`rotation_driver`). A window opens on the hour, closes after its duration, and ends before the next UTC day.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Protocol

from local.aws.secrets import cron
from local.aws.secrets.cron import ScheduleError

HOUR = 3600
DAY = 24 * HOUR
LEAST_HOURS = 4
MOST_DAYS = 999


@dataclass(frozen=True)
class Window:
    """Seconds since the epoch. The rotation may start at any time between both; NextRotationDate is `closes`."""

    opens: float
    closes: float


class Schedule(Protocol):
    def next_window(self, after: float, previous: float | None = None) -> Window:
        """The first window after `after`, when the secret was last rotated or got this schedule.

        `previous` is when the last window opened.
        """
        ...


def parse(rules: Mapping[str, Any]) -> Schedule:
    """`rules` is the API's RotationRules. Raises ScheduleError."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression is not None:
        raise ScheduleError("You can set AutomaticallyAfterDays or ScheduleExpression in RotationRules, but not both.")
    hours = _duration(rules.get("Duration"))
    if expression is None:
        if days is None:
            raise ScheduleError("RotationRules needs AutomaticallyAfterDays or ScheduleExpression.")
        return _Days(days, _within_day(0, hours))
    if expression.startswith("rate("):
        return _rate(expression, hours)
    return _cron(cron.parse(expression), hours)


def days_between(schedule: Schedule, window: Window) -> int | None:
    """The AutomaticallyAfterDays that DescribeSecret returns for an expression; None if it is less than a day."""
    return round((schedule.next_window(window.opens, window.opens).opens - window.opens) / DAY) or None


def midnight(moment: float) -> float:
    return moment - moment % DAY


def _duration(text: str | None) -> int | None:
    if text is None:
        return None
    hours = int(text.removesuffix("h"))
    if not 1 <= hours <= 24:
        raise ScheduleError(f"Duration {text}: a rotation window lasts from 1h to 24h.")
    return hours


def _within_day(first_hour: int, hours: int | None) -> int | None:
    if hours is not None and first_hour + hours > 24:
        raise ScheduleError(
            f"Duration {hours}h: a window that opens at {first_hour}:00 would extend into the next UTC day. "
            f"Use at most {24 - first_hour}h."
        )
    return hours


def _window(opens: float, hours: int | None) -> Window:
    closes = midnight(opens) + DAY - 1 if hours is None else opens + hours * HOUR
    return Window(opens, closes)


@dataclass(frozen=True)
class _Days:
    """rate(n days) and AutomaticallyAfterDays: from midnight, n days after the day of the last rotation."""

    days: int
    hours: int | None

    def next_window(self, after: float, previous: float | None = None) -> Window:
        del previous
        return _window(midnight(after) + self.days * DAY, self.hours)


@dataclass(frozen=True)
class _Hours:
    """rate(n hours): the first window opens at midnight, each later one n hours after the previous."""

    every: int
    hours: int

    def next_window(self, after: float, previous: float | None = None) -> Window:
        start = midnight(after) if previous is None else previous
        passed = int((after - start) // (self.every * HOUR))
        return _window(start + (passed + 1) * self.every * HOUR, self.hours)


@dataclass(frozen=True)
class _Cron:
    expression: cron.Cron
    hours: int | None

    def next_window(self, after: float, previous: float | None = None) -> Window:
        del previous
        day = datetime.fromtimestamp(after, UTC).date()
        while True:
            day = self.expression.next_day(day)
            start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
            opens = next((start + hour * HOUR for hour in self.expression.hours if start + hour * HOUR > after), None)
            if opens is not None:
                return _window(opens, self.hours)
            day = datetime.fromtimestamp(start + DAY, UTC).date()


def _rate(expression: str, hours: int | None) -> Schedule:
    found = re.fullmatch(r"rate\(([1-9]\d*) (hour|hours|day|days)\)", expression)
    if not found:
        raise ScheduleError(f"{expression} is not rate(Value Unit), with a positive number and hours or days.")
    value, unit = int(found[1]), found[2]
    if unit.startswith("day"):
        if value > MOST_DAYS:
            raise ScheduleError(f"{expression}: the longest interval is {MOST_DAYS} days.")
        return _Days(value, _within_day(0, hours))
    if value < LEAST_HOURS:
        raise ScheduleError(f"{expression}: a secret is rotated at most every {LEAST_HOURS} hours.")
    if value > MOST_DAYS * 24:
        raise ScheduleError(f"{expression}: the longest interval is {MOST_DAYS} days.")
    if hours is not None and hours > value:
        raise ScheduleError(f"Duration {hours}h: the window would extend into the next one, {value} hours later.")
    return _Hours(value, hours or 1)


def _cron(expression: cron.Cron, hours: int | None) -> Schedule:
    opening = expression.hours
    if len(opening) == 1:
        return _Cron(expression, _within_day(opening[0], hours))
    gaps = [later - earlier for earlier, later in pairwise(opening)]
    # The last opening of a day is followed by the first of the next day.
    gap = min(*gaps, 24 - opening[-1] + opening[0])
    if gap < LEAST_HOURS:
        raise ScheduleError(
            f"{expression.text}: a secret is rotated at most every {LEAST_HOURS} hours, not after {gap}."
        )
    if hours is not None and hours > gap:
        raise ScheduleError(f"Duration {hours}h: the window would extend into the next one, {gap} hours later.")
    return _Cron(expression, _within_day(opening[-1], hours or 1))
