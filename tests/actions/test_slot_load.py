"""What slots put into the busiest hour of 2,000 tenants, against what the Admin API takes, and where that breaks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tenancy import load, slots
from tenancy.slot_load import ROTATIONS_AN_HOUR, openings, slot_load
from tests.tenancy.files import CELL, Files

FIRST = date(2027, 1, 1)
HOURLY = slots.HOURLY_STEPS


def fleet_of(tenants: int, interval_hours: int) -> list[str]:
    return [slots.cron(f"tenant-{number}", "prod-eu1", interval_hours) for number in range(tenants)]


@pytest.mark.parametrize("interval_hours", [8, 12, *(24 * pattern.longest for pattern in slots.PATTERNS)])
def test_two_thousand_tenants_stay_under_the_budget_in_every_hour_of_the_year(interval_hours: int) -> None:
    load = slot_load(fleet_of(2000, interval_hours), FIRST)
    assert load.rotations > 0
    assert load.fits, f"{load.peak} rotations open at {load.peak_at}, and the budget is {ROTATIONS_AN_HOUR}"


@pytest.mark.parametrize(("interval_hours", "fit", "too_many"), [(4, 1200, 1300), (6, 1900, 2000)])
def test_the_two_shortest_intervals_break_before_two_thousand(interval_hours: int, fit: int, too_many: int) -> None:
    assert slot_load(fleet_of(fit, interval_hours), FIRST, 14).fits
    assert not slot_load(fleet_of(too_many, interval_hours), FIRST, 14).fits, "then the limit said is out of date"


def test_a_mixed_fleet_as_it_grows_in_practice_fits() -> None:
    mixed = [*fleet_of(1200, 24 * 30), *fleet_of(600, 24 * 7), *fleet_of(150, 24), *fleet_of(50, 4)]
    assert slot_load(mixed, FIRST).fits


@pytest.mark.parametrize("interval_hours", [*HOURLY, *(24 * pattern.longest for pattern in slots.PATTERNS)])
def test_the_count_agrees_with_walking_the_calendar_hour_by_hour(interval_hours: int) -> None:
    schedules = fleet_of(40, interval_hours)
    walked: Counter[datetime] = Counter()
    for schedule in schedules:
        hour_field, days, months, weekdays = schedule.removeprefix("cron(0 ").removesuffix(" *)").split()
        first, _, step = hour_field.partition("/")
        for hours in range(60 * 24):
            at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
            due = at.hour >= int(first) and (at.hour - int(first)) % int(step or 24) == 0
            due = due and (days in "*?" or str(at.day) in days.split(","))
            due = due and (months == "*" or str(at.month) in months.split(","))
            due = due and (weekdays == "?" or at.strftime("%a").upper() in weekdays.split(",") or weekdays == "*")
            walked[at] += due
    load = slot_load(schedules, FIRST, 60)
    assert load.rotations == walked.total()
    assert load.peak == max(walked.values())


def test_the_histogram_holds_every_hour_that_is_in_use_and_no_other() -> None:
    load = slot_load(["cron(0 3 * * ? *)", "cron(0 3 * * ? *)", "cron(0 5 * * ? *)"], FIRST, 10)
    assert (load.peak, load.histogram, load.rotations) == (2, {1: 10, 2: 10}, 30)
    assert load.peak_at == datetime(2027, 1, 1, 3, tzinfo=UTC), "the first of several that are as busy"
    assert slot_load([], FIRST).peak == 0


def test_an_expression_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"rate\(1 day\)"):
        list(openings("rate(1 day)", FIRST, 1))


def test_validate_says_when_a_cells_busiest_hour_is_over_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(tmp_path)
    for number in range(9):
        slug = f"tenant-{number}"
        files.tenant(slug, tenant=slug, rotation={"every_hours": 4, "overlap_hours": 4})
    assert not [notice for notice in load(tmp_path).notices if notice.rule == "slots-crowded"]
    monkeypatch.setattr("tenancy.slot_load.ROTATIONS_AN_HOUR", 2)
    notices = [notice for notice in load(tmp_path).notices if notice.rule == "slots-crowded"]
    assert [notice.file for notice in notices] == [f"cells/{CELL['cell']}.yaml"]
    assert "every 8 hours" in notices[0].way_out, "a notice without a way out helps nobody"
