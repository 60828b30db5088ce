"""What the page says of a fleet: the headline, sums, shares, and an order in which what needs a person comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ops.actions.fleet_view import CellView, DayView, FleetView, SpendView, TenantView
from ops.page.facts import DAYS, dollars, facts, headline
from tests.page.fleets import ATTENTION, BROKEN, NOW, OFF, OK, OUT_OF_CREDIT, UNKNOWN, one_of_each

NOT_LOOKED = replace(OUT_OF_CREDIT, severity="unknown")
UNSEEN = FleetView(NOW, (CellView("prod-eu1", NOW, None, (NOT_LOOKED,), (OK,)),))


def fleet(*tenants: TenantView, of_cell: int = 0) -> FleetView:
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW, (OUT_OF_CREDIT,) * of_cell, tenants),))


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (fleet(BROKEN, ATTENTION, OK), "2 of 3 tenants need a person"),
        (fleet(BROKEN), "1 of 1 tenant needs a person"),
        (
            fleet(BROKEN, OK, of_cell=1),
            "1 of 2 tenants needs a person, and 1 trouble concerns a whole cell or organization",
        ),
        (fleet(OK, of_cell=2), "2 troubles concern whole cells or organizations"),
        (fleet(UNKNOWN, OK), "No tenant is known to need a person, and 1 of 2 tenants is not known"),
        (UNSEEN, "No tenant is known to need a person, but not everything was seen"),
        (fleet(OK, OK, OFF), "2 tenants work, none needs a person"),
        (fleet(OK), "1 tenant works, none needs a person"),
        (fleet(OFF), "Every tenant is off"),
        (fleet(), "No tenants yet"),
        (fleet(*[OK] * 1_200), "1,200 tenants work, none needs a person"),
    ],
)
def test_the_headline_says_that_all_is_well_only_if_it_was_seen(shown: FleetView, said: str) -> None:
    assert headline(shown) == said


def test_what_needs_a_person_comes_first_across_cells() -> None:
    cells = (CellView("a", NOW, NOW, (), (UNKNOWN, OK)), CellView("b", NOW, NOW, (), (BROKEN, OFF)))
    told = [(one["cell"], one["slug"]) for one in facts(FleetView(NOW, cells))["tenants"]]
    assert told == [("b", "solmar"), ("a", "nordlys"), ("b", "old-shop"), ("a", "lumen")]


def money(*amounts: tuple[int, str, bool], budget: int | None = 50) -> SpendView:
    """Amounts by days ago."""
    days = tuple(DayView(NOW.date() - timedelta(days=ago), Decimal(usd), last) for ago, usd, last in amounts)
    return SpendView(days, sum((one.usd for one in days), Decimal(0)), budget, True, None, NOW)


def spend_of(spend: SpendView) -> dict[str, object]:
    (tenant,) = facts(fleet(replace(OK, spend=spend)))["tenants"]
    return tenant["spend"]


def test_a_day_that_openai_has_not_told_is_null_and_not_zero() -> None:
    told = spend_of(money((34, "0", False), (2, "1.25", False), (1, "3", True)))
    assert told["days"] == [0.0, *[None] * 31, 1.25, 3.0, None]
    assert told["provisional"] == [33]


def test_days_outside_the_five_weeks_are_left_out() -> None:
    told = spend_of(money((DAYS, "9", False), (-1, "9", True), (0, "1", True)))
    assert told["days"] == [*[None] * (DAYS - 1), 1.0]


@pytest.mark.parametrize(
    ("spent", "budget", "percent"),
    [
        ("49.99", 50, 99.98),
        ("49.9999", 50, 99.99),
        ("50", 50, 100.0),
        ("40", 50, 80.0),
        ("0", 50, 0.0),
        ("104", 50, 208.0),
        ("5", None, None),
    ],
)
def test_the_share_of_the_budget_is_of_dollars(spent: str, budget: int | None, percent: float | None) -> None:
    told = spend_of(money((3, spent, False), budget=budget))
    assert told.get("percent") == percent
    assert ("budget" in told) is (budget is not None)


def test_an_even_day_of_the_budget_counts_the_days_of_its_month() -> None:
    assert spend_of(money(budget=60))["daily"] == 2
    february = replace(money(budget=56), as_of=NOW.replace(year=2027, month=2, day=3))
    assert spend_of(february)["daily"] == 2


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("0.0042", "$0.0042"), ("0.1", "$0.10"), ("1234.5", "$1,234.50"), ("9.999", "$9.99")],
)
def test_a_small_amount_keeps_four_places(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text


def test_requests_a_minute_are_of_the_time_that_was_counted() -> None:
    looked = CellView("c", NOW, NOW.replace(minute=20), (), (replace(OK, requests=160),))
    assert facts(FleetView(NOW, (looked,)))["tenants"][0]["pace"] == 2
    never = replace(looked, health_as_of=None)
    assert "pace" not in facts(FleetView(NOW, (never,)))["tenants"][0]


def test_a_model_that_ended_has_less_than_no_days_left_and_is_told_once() -> None:
    ended = replace(OK.models[0], ends=date(2026, 11, 29))
    told = facts(fleet(replace(OK, models=(ended,)), replace(BROKEN, models=(ended,))))
    assert [(one["model"], one["left"]) for one in told["models"]] == [("gpt-4.1", -1)]
    assert [one["models"] for one in told["tenants"]] == [[0], [0]]


def test_what_is_not_known_is_left_out() -> None:
    told = next(one for one in facts(one_of_each())["tenants"] if one["slug"] == "nordlys")
    assert set(told) == {"cell", "slug", "name", "source", "enabled", "state", "severity"}
