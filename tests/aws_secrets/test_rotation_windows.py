"""Schedules as Secrets Manager reads them, without a cell.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.secrets import cron, schedule
from local.aws.secrets.cron import ScheduleError


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def openings(expression: str, after: str, count: int = 3) -> list[str]:
    parsed = schedule.parse({"ScheduleExpression": expression})
    moment, found = at(after), list[str]()
    for _ in range(count):
        moment = parsed.next_window(moment, moment if found else None).opens
        found.append(text(moment)[:13])
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 8 * * ? *)", ["2026-11-23 08", "2026-11-24 08", "2026-11-25 08"]),
        ("cron(0 4/12 * * ? *)", ["2026-11-22 16", "2026-11-23 04", "2026-11-23 16"]),
        ("cron(0 */8 * * ? *)", ["2026-11-22 16", "2026-11-23 00", "2026-11-23 08"]),
        ("cron(0 8/8 * * ? *)", ["2026-11-22 16", "2026-11-23 08", "2026-11-23 16"]),
        ("cron(0 3 1,15 * ? *)", ["2026-12-01 03", "2026-12-15 03", "2027-01-01 03"]),
        ("cron(0 3 10-12 * ? *)", ["2026-12-10 03", "2026-12-11 03", "2026-12-12 03"]),
        ("cron(0 8 1/10 * ? *)", ["2026-12-01 08", "2026-12-11 08", "2026-12-21 08"]),
        ("cron(0 16 L * ? *)", ["2026-11-30 16", "2026-12-31 16", "2027-01-31 16"]),
        ("cron(0 23 31 * ? *)", ["2026-12-31 23", "2027-01-31 23", "2027-03-31 23"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00", "2032-02-29 00", "2036-02-29 00"]),
        ("cron(0 2 ? JAN,APR,JUL,OCT SUN#1 *)", ["2027-01-03 02", "2027-04-04 02", "2027-07-04 02"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-23 18", "2026-11-24 18", "2026-11-25 18"]),
        ("cron(0 18 ? * 1,7 *)", ["2026-11-22 18", "2026-11-28 18", "2026-11-29 18"]),
        ("cron(0 18 ? * L *)", ["2026-11-28 18", "2026-12-05 18", "2026-12-12 18"]),
        ("cron(0 18 ? * FRIL *)", ["2026-11-27 18", "2026-12-25 18", "2027-01-29 18"]),
        ("cron(0 18 ? * 3#5 *)", ["2026-12-29 18", "2027-03-30 18", "2027-06-29 18"]),
        ("rate(4 hours)", ["2026-11-22 16", "2026-11-22 20", "2026-11-23 00"]),
        ("rate(10 days)", ["2026-12-02 00", "2026-12-12 00", "2026-12-22 00"]),
    ],
)
def test_windows_open_when_the_expression_says(expression: str, expected: list[str]) -> None:
    """From a Sunday, 22 November 2026, 12:30 UTC. Days of the week run from 1, Sunday."""
    assert openings(expression, "2026-11-22 12:30:00") == expected


@pytest.mark.parametrize(
    ("rules", "closes"),
    [
        ({"ScheduleExpression": "cron(0 20 * * ? *)"}, "2026-11-22 23:59:59"),
        ({"ScheduleExpression": "cron(0 20 * * ? *)", "Duration": "3h"}, "2026-11-22 23:00:00"),
        ({"ScheduleExpression": "cron(0 4/12 * * ? *)"}, "2026-11-22 17:00:00"),
        ({"ScheduleExpression": "rate(12 hours)"}, "2026-11-23 01:00:00"),
        ({"ScheduleExpression": "rate(12 hours)", "Duration": "2h"}, "2026-11-23 02:00:00"),
        ({"ScheduleExpression": "rate(1 day)"}, "2026-11-23 23:59:59"),
        ({"AutomaticallyAfterDays": 1, "Duration": "6h"}, "2026-11-23 06:00:00"),
    ],
)
def test_a_window_closes_after_its_duration_else_after_an_hour_or_at_the_end_of_the_day(
    rules: dict[str, object], closes: str
) -> None:
    """ "For a rate in hours, the default rotation window … closes after one hour." For days, at the end of the day."""
    assert text(schedule.parse(rules).next_window(at("2026-11-22 12:30:00")).closes) == closes


@pytest.mark.parametrize(
    "expression",
    [
        "cron(15 8 * * ? *)",
        "cron(0 8 * * * *)",
        "cron(0 8 ? * ? *)",
        "cron(0 8 1 * MON *)",
        "cron(0 24 * * ? *)",
        "cron(0 8 0 * ? *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 1 13 ? *)",
        "cron(0 8 ? * 0 *)",
        "cron(0 8 ? * 8 *)",
        "cron(0 8 ? * MON#6 *)",
        "cron(0 8 31 FEB ? *)",
        "cron(0 8 * * ?)",
        "cron(0 20-8 * * ? *)",
        "cron(0 */0 * * ? *)",
        "cron(0 8 * * ? 2026)",
        "cron(0 0,2 * * ? *)",
        "cron(0 2,23 * * ? *)",
        "cron(0 * * * ? *)",
        "cron(0 8 LW * ? *)",
        "rate(0 days)",
        "rate(1000 days)",
        "rate(3 hours)",
        "rate(5 weeks)",
        "rate(1.5 days)",
        "daily",
    ],
)
def test_what_secrets_manager_does_not_take_is_refused(expression: str) -> None:
    """Minutes 0, year *, one of the day fields ?, at least 4 hours apart (over midnight too), days that exist."""
    with pytest.raises(ScheduleError, match=r".+"):
        schedule.parse({"ScheduleExpression": expression})


@pytest.mark.parametrize(
    "rules",
    [
        {"ScheduleExpression": "cron(0 20 * * ? *)", "Duration": "5h"},
        {"ScheduleExpression": "rate(4 hours)", "Duration": "5h"},
        {"ScheduleExpression": "cron(0 0,8,16 * * ? *)", "Duration": "9h"},
        {"AutomaticallyAfterDays": 1, "Duration": "25h"},
        {"AutomaticallyAfterDays": 1, "Duration": "0h"},
    ],
)
def test_a_window_reaches_neither_the_next_window_nor_the_next_day(rules: dict[str, object]) -> None:
    with pytest.raises(ScheduleError, match="Duration"):
        schedule.parse(rules)


@given(
    hours=st.sets(st.sampled_from([0, 4, 8, 12, 16, 20]), min_size=1),
    day=st.sampled_from(["*", "L", "1-7", "*/3", "15"]),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 (UTC is added below)
)
def test_the_next_window_is_the_first_matching_hour_after_now(hours: set[int], day: str, after: datetime) -> None:
    """Against a search hour by hour."""
    expression = f"cron(0 {','.join(map(str, sorted(hours)))} {day} * ? *)"
    parsed, start = cron.parse(expression), after.replace(tzinfo=UTC)
    hour = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    while not (hour.hour in hours and parsed.matches(hour.date())):
        hour += timedelta(hours=1)
    found = schedule.parse({"ScheduleExpression": expression}).next_window(start.timestamp())
    assert text(found.opens) == text(hour.timestamp())
    assert found.opens <= found.closes < schedule.midnight(found.opens) + schedule.DAY
