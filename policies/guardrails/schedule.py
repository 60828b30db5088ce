"""The longest gap in a schedule expression of Secrets Manager.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import itertools
import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RATE: Final = re.compile(r"rate\((\d{1,4}) (hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_FIRST: Final = date(2027, 1, 1)
_WALK_DAYS: Final = 3 * 366
"""Includes a leap year's February and three year ends."""


@lru_cache(maxsize=1024)
def longest_gap_days(expression: str) -> float | None:
    """The most days between two runs; None for an expression without two runs, or an invalid one."""
    if rate := _RATE.fullmatch(expression):
        return int(rate[1]) / (24 if rate[2] == "hour" else 1)
    cron = _CRON.fullmatch(expression)
    if cron is None or cron[6] != "*":
        return None
    hours = _field(cron[2], 0, 23)
    months = _field(cron[4], 1, 12, _MONTHS, 1)
    if not hours or not months or not _field(cron[1], 0, 59):
        return None
    last = cron[3] == "L"
    days = {0} if last else _field(cron[3], 1, 31)
    weekdays = _field(cron[5], 1, 7, _DAYS, 1)
    if not days or not weekdays:
        return None
    slots = [
        day
        for day in (_FIRST + timedelta(n) for n in range(_WALK_DAYS))
        if day.month in months
        and day.isoweekday() % 7 + 1 in weekdays
        and ((day + timedelta(1)).day == 1 if last else day.day in days)
    ]
    if len(slots) < 2:
        return None
    longest = max((later - earlier).days for earlier, later in itertools.pairwise(slots))
    if longest > 1:
        return longest
    ordered = sorted(hours)
    return max(b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + 24], strict=True)) / 24


def _field(text: str, low: int, high: int, names: tuple[str, ...] = (), first: int = 0) -> set[int] | None:
    """The numbers that a field of a cron expression means; None if it is invalid."""
    found: set[int] = set()
    for part in text.lower().split(","):
        body, _, step = part.partition("/")
        start, _, end = body.partition("-")
        if step and not (step.isascii() and step.isdigit() and int(step)):
            return None
        bounds = (low, high) if body in ("*", "?") else (_number(start, names, first), _number(end, names, first))
        begins = bounds[0]
        ends = bounds[1] if bounds[1] is not None else high if step else begins
        if begins is None or ends is None or (end and bounds[1] is None) or not low <= begins <= ends <= high:
            return None
        found |= set(range(begins, ends + 1, int(step or 1)))
    return found


def _number(text: str, names: tuple[str, ...], first: int) -> int | None:
    if text in names:
        return names.index(text) + first
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None
