"""The slot's promises: never longer apart than asked nor closer than said, in AWS's dialect, spread, never moving."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys.names import CELL_SLUG, TENANT_SLUG
from tenancy import slots

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)
"""Six years with the leap years 2028 and 2032."""

TENANTS, CELLS = st.from_regex(TENANT_SLUG, fullmatch=True), st.from_regex(CELL_SLUG, fullmatch=True)
INTERVALS = st.one_of(st.sampled_from(slots.HOURLY_STEPS), st.integers(1, 361).map(lambda days: 24 * days))


CALENDAR = tuple(
    (day, str(day.day), str(day.month), DAYS[(day.weekday() + 1) % 7])
    for day in (START + timedelta(days=number) for number in range((END - START).days))
)
"""Each day with what the fields of an expression call it."""


def openings(cron: str) -> list[datetime]:
    """When windows open, by a reading of the expression of its own: day by day, field by field."""
    fields = re.fullmatch(r"cron\(0 (\S+) (\S+) (\S+) (\S+) \*\)", cron)
    assert fields, f"{cron} has not six fields with minutes 0 and year *"
    hour_field, day_field, month_field, weekday_field = fields.groups()
    first, slash, step = hour_field.partition("/")
    hours = [timedelta(hours=hour) for hour in (range(int(first), 24, int(step)) if slash else [int(first)])]
    days, months, weekdays = day_field.split(","), month_field.split(","), weekday_field.split(",")
    any_day, any_month, any_weekday = day_field in ("*", "?"), month_field == "*", weekday_field == "?"
    return [
        day + hour
        for day, number, month, weekday in CALENDAR
        if (any_day or number in days) and (any_month or month in months) and (any_weekday or weekday in weekdays)
        for hour in hours
    ]


@cache
def gaps(cron: str) -> tuple[float, ...]:
    """Hours between openings. Many tenants have the same expression, and six years take a while to go through."""
    opened = openings(cron)
    return tuple((after - before).total_seconds() / 3600 for before, after in pairwise(opened))


@given(TENANTS, CELLS, INTERVALS)
def test_rotations_are_never_further_apart_than_asked_nor_closer_than_said(
    tenant: str, cell: str, interval: int
) -> None:
    found = gaps(slots.cron(tenant, cell, interval))
    assert found, "the slot comes round at all"
    assert max(found) <= interval, "a key would live longer than its tenant accepts"
    assert min(found) >= slots.shortest_gap_hours(interval), "an overlap that was let through would meet a third key"
    assert min(found) >= 4, "AWS rotates no more often than every four hours"


@given(TENANTS, CELLS, INTERVALS)
def test_an_expression_is_in_secrets_managers_dialect(tenant: str, cell: str, interval: int) -> None:
    cron = slots.cron(tenant, cell, interval)
    assert len(cron) <= 256
    assert re.fullmatch(r"[0-9A-Za-z()#?*\-/, ]+", cron), "the pattern of ScheduleExpression in the API reference"
    assert cron.count("?") == 1, "one of the two day fields, and just one, is ?"
    hour = int(cron.removeprefix("cron(0 ").split()[0].split("/")[0])
    last = hour + ((23 - hour) // interval) * interval if interval in slots.HOURLY_STEPS else hour
    assert hour >= 1, "midnight UTC is when everybody's rate() schedules open"
    assert last + int(slots.window(interval).removesuffix("h")) <= 24, "a window must end within its UTC day"
    assert int(slots.window(interval).removesuffix("h")) <= interval, "a window must end before the next one"


@pytest.mark.parametrize("pattern", slots.PATTERNS, ids=lambda pattern: pattern.words)
def test_a_patterns_gaps_are_tight_and_not_only_bounds(pattern: slots.Pattern) -> None:
    found = [
        gap for number in range(300) for gap in gaps(slots.cron(f"tenant-{number}", "local", 24 * pattern.longest))
    ]
    assert max(found) == 24 * pattern.longest
    assert min(found) == 24 * pattern.shortest


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "every day"),
        (6, "two days a week"),
        (7, "once a week"),
        (14, "three times a month"),
        (30, "twice a month"),
        (31, "once a month"),
        (90, "every second month"),
        (361, "every sixth month"),
    ],
)
def test_an_interval_becomes_the_rarest_pattern_within_it(days: int, words: str) -> None:
    assert slots.pattern(days).words == words


def test_a_slot_never_changes_between_versions_and_machines() -> None:
    known = {
        ("acme", "local", 30 * 24): "cron(0 19 13,28 * ? *)",
        ("fjord", "local", 31 * 24): "cron(0 15 26 * ? *)",
        ("globex", "local", 12): "cron(0 2/12 * * ? *)",
    }
    assert {key: slots.cron(*key) for key in known} == known, "a moved slot is a change to every tenant's stack"


@pytest.mark.parametrize("interval", [4, 24, 7 * 24, 31 * 24, 92 * 24])
def test_tenants_are_spread_over_the_slots(interval: int) -> None:
    taken = Counter(slots.cron(f"tenant-{number}", "prod-eu1", interval) for number in range(2000))
    possible = {4: 3, 24: 20, 7 * 24: 140, 31 * 24: 560, 92 * 24: 1680}[interval]
    assert len(taken) > 0.6 * possible, "most slots are in use"
    assert max(taken.values()) < 2000 / possible * 1.25 + 12, "none is crowded: the Admin API takes ten calls a minute"


@pytest.mark.parametrize("interval", [-24, 0, 1, 3, 5, 25, 36])
def test_an_interval_that_cron_cannot_say_is_an_error(interval: int) -> None:
    with pytest.raises(ValueError, match="hours"):
        slots.cron("acme", "local", interval)
