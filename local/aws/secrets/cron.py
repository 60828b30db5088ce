"""Cron expressions as Secrets Manager reads them.

Owns parsing and the question which hours of which days match, all in UTC. Leaves out windows (`schedule`). Secrets
Manager's dialect has minutes 0 and year ``*``, and days of the week from 1, Sunday.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if number}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}

_LONGEST_SEARCH_DAYS = 8 * 366
"""29 February recurs within eight years."""

DayRule = Callable[[date], bool]


class ScheduleError(ValueError):
    """A schedule that Secrets Manager would refuse. The message names the expression, the rule and the way out."""


@dataclass(frozen=True)
class Cron:
    """`hours` in order; `matches` says on which days."""

    text: str
    hours: tuple[int, ...]
    matches: DayRule

    def next_day(self, start: date) -> date:
        """The first matching day from `start` on. Raises ScheduleError when none ever comes."""
        for offset in range(_LONGEST_SEARCH_DAYS):
            day = start + timedelta(days=offset)
            if self.matches(day):
                return day
        raise ScheduleError(f"{self.text} names a day that never comes. Choose a day of the month that exists.")


def parse(text: str) -> Cron:
    """`text` is ``cron(0 hours day-of-month month day-of-week *)``. Raises ScheduleError."""
    found = re.fullmatch(r"cron\((.*)\)", text)
    fields = found[1].split() if found else []
    if len(fields) != 6:
        raise ScheduleError(f"{text} is not cron(Minutes Hours Day-of-month Month Day-of-week Year).")
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if minutes != "0":
        raise ScheduleError(f"{text}: the minutes must be 0, because rotation windows open on the hour.")
    if year != "*":
        raise ScheduleError(f"{text}: the year must be *.")
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ScheduleError(f"{text}: exactly one of Day-of-month and Day-of-week must be ?.")
    months = _numbers(text, "Month", month, 1, 12, MONTHS)
    on_day = _day_of_week(text, day_of_week) if day_of_month == "?" else _day_of_month(text, day_of_month)
    cron = Cron(
        text,
        tuple(sorted(_numbers(text, "Hours", hours, 0, 23, {}))),
        lambda day: day.month in months and on_day(day),
    )
    cron.next_day(date(2024, 1, 1))
    return cron


def _day_of_month(text: str, field: str) -> DayRule:
    if field == "L":
        return lambda day: day.day == calendar.monthrange(day.year, day.month)[1]
    days = _numbers(text, "Day-of-month", field, 1, 31, {})
    return lambda day: day.day in days


def _day_of_week(text: str, field: str) -> DayRule:
    if field == "L":
        return lambda day: _weekday(day) == 7
    if nth := re.fullmatch(r"(\w+)#([1-5])", field):
        weekday, week = _number(text, "Day-of-week", nth[1], 1, 7, WEEKDAYS), int(nth[2])
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == week
    if last := re.fullmatch(r"(\d|[A-Za-z]{3})L", field):
        weekday = _number(text, "Day-of-week", last[1], 1, 7, WEEKDAYS)
        return lambda day: _weekday(day) == weekday and (day + timedelta(days=7)).month != day.month
    weekdays = _numbers(text, "Day-of-week", field, 1, 7, WEEKDAYS)
    return lambda day: _weekday(day) in weekdays


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _numbers(text: str, name: str, field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """Lists, ranges and steps: ``1,15``, ``MON-FRI``, ``*/6``, ``4/12``, ``8-20/4``."""
    chosen: set[int] = set()
    for part in field.split(","):
        base, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9]\d*", step):
            raise ScheduleError(f"{text}: {name} {part} has a step that is not a positive number.")
        first, dash, last = base.partition("-")
        if base == "*":
            start, end = low, high
        elif dash:
            start, end = (_number(text, name, word, low, high, names) for word in (first, last))
            if start > end:
                raise ScheduleError(f"{text}: {name} {part} runs backwards.")
        else:
            start = _number(text, name, base, low, high, names)
            end = high if slash else start
        chosen.update(range(start, end + 1, int(step) if slash else 1))
    return frozenset(chosen)


def _number(text: str, name: str, word: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(word.upper())
    if value is None and re.fullmatch(r"\d{1,2}", word):
        value = int(word)
    if value is None or not low <= value <= high:
        allowed = f"{low}-{high}" + (f" or {next(iter(names))}-{list(names)[-1]}" if names else "")
        raise ScheduleError(f"{text}: {name} {word!r} is not {allowed}.")
    return value
