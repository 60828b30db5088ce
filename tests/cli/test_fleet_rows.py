"""`status` as a person reads it: in 80 columns, what needs them first, and many tenants with one trouble in one row."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.actions.fleet_view import (
    CellView,
    DayView,
    FleetView,
    HandoverView,
    KeyTimes,
    LinkView,
    SpendView,
    TenantView,
    TroubleView,
    by_need,
)
from ops.cli import fleet_rows

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
REFUSED = TroubleView(
    "key_refused",
    "broken",
    "OpenAI refuses the key, so every call fails",
    NOW - timedelta(hours=2),
    "make a new key",
    "myflux-keys rotate acme --wait",
    "docs/runbook.md#keyrefused",
)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def tenant(slug: str, *troubles: TroubleView) -> TenantView:
    word, severity = ("key refused", "broken") if troubles else ("ok", "ok")
    key = KeyTimes(minted=NOW - timedelta(days=3), next_rotation=NOW + timedelta(days=20))
    return TenantView(slug, slug.title(), "managed", True, True, word, severity, troubles, key=key)


def fleet(*tenants: TenantView, troubles: tuple[TroubleView, ...] = ()) -> FleetView:
    return FleetView(NOW, (CellView("prod-eu1", NOW, NOW, troubles, by_need(tenants)),))


def test_a_row_says_who_since_when_what_and_what_to_type() -> None:
    told = fleet_rows.text(fleet(tenant("globex"), tenant("acme", REFUSED)))
    assert told == (
        "2 tenants: 1 broken, 1 ok.\n"
        "\n"
        "BROKEN  acme (cell prod-eu1), since 2026-11-29 07:00Z (2 h)\n"
        "  OpenAI refuses the key, so every call fails.\n"
        "  To do: make a new key.\n"
        "  Type:  myflux-keys rotate acme --wait\n"
        "  More:  docs/runbook.md#keyrefused\n"
        "\n"
        "TENANT  STATE        KEY AGE  ROTATES     SPENT, USD\n"
        "acme    key refused  3 d      2026-12-19  -\n"
        "globex  ok           3 d      2026-12-19  -\n"
        "\n"
        "Cell prod-eu1: AWS was asked at 2026-11-29 09:00Z; the health function looked at\n"
        "2026-11-29 09:00Z."
    )


def test_a_row_says_too_that_nobody_knows_since_when() -> None:
    (row,) = fleet_rows.rows(fleet(tenant("acme", replace(REFUSED, since=None))))
    assert fleet_rows.block(row, NOW).startswith("BROKEN  acme (cell prod-eu1), not known since when\n")


def test_hand_overs_that_are_not_done_are_below_the_tenants() -> None:
    due = HandoverView("cinnox", "due", NOW, NOW, NOW + timedelta(days=6))
    told = fleet_rows.text(
        fleet(
            replace(tenant("acme"), handovers=(due,)),
            replace(tenant("globex"), handovers=(replace(due, state="done", ends=None),)),
            replace(tenant("initech"), handovers=(HandoverView("cinnox", "not checked"),)),
        )
    )
    rows = [line.split() for line in told.partition("HAND-OVER OF")[2].split("\n\n")[0].splitlines()[1:]]
    assert [row[0] for row in rows] == ["acme", "initech"]
    assert rows[0][1:3] == ["cinnox", "due"]


def test_open_links_are_below_the_tenants() -> None:
    links = (LinkView("1" * 32, "open", NOW), LinkView("2" * 32, "waiting", NOW + timedelta(days=1)))
    told = fleet_rows.text(fleet(tenant("globex"), replace(tenant("acme"), links=links)))
    assert (
        "\n\nOPEN LINK OF  STATE    EXPIRES\n"
        "acme          open     2026-11-29 09:00Z\n"
        "acme          waiting  2026-11-30 09:00Z\n\nCell prod-eu1:" in told
    )


def test_no_line_but_a_command_is_longer_than_the_terminal() -> None:
    long = replace(REFUSED, sentence="the organization " * 30, do="ask OpenAI " * 30)
    told = fleet_rows.text(fleet(tenant("a-customer-with-a-long-name", long)))
    assert max(len(line) for line in told.splitlines()) <= 80


def test_many_tenants_with_one_trouble_are_one_row_with_a_command_for_each() -> None:
    slugs = [f"tenant-{number}" for number in range(12)]
    those = [tenant(slug, replace(REFUSED, command=f"myflux-keys rotate {slug} --wait")) for slug in slugs]
    view = fleet(*those)
    (row,) = fleet_rows.rows(view)
    assert len(row.who) == 12
    told = fleet_rows.block(row, NOW)
    assert told.startswith("BROKEN  tenant-0, tenant-1, tenant-10, tenant-11, tenant-2 and 7 more (cell\nprod-eu1),")
    assert "  Type:  myflux-keys rotate TENANT --wait\n" in told
    few = fleet(*those[: fleet_rows.FOLD_AT - 1])
    assert len(fleet_rows.rows(few)) == fleet_rows.FOLD_AT - 1, "fewer are a row each"


def test_the_worst_comes_first_and_a_cells_own_before_its_tenants() -> None:
    money = TroubleView("balance_gone", "broken", "the credit is used up")
    silent = TroubleView("openai_silent", "unknown", "OpenAI does not answer")
    rows = fleet_rows.rows(fleet(tenant("acme", REFUSED), troubles=(silent, money)))
    assert [row.trouble.kind for row in rows] == ["balance_gone", "key_refused", "openai_silent"]
    view = fleet(tenant("acme", REFUSED), troubles=(silent, money))
    assert fleet_rows.need(view) == "1 tenant and 1 trouble of a cell or organization need a person."
    assert fleet_rows.need(fleet(tenant("acme", REFUSED))) == "1 tenant needs a person."


def test_a_rotation_within_two_days_says_in_how_many_hours() -> None:
    """A day alone does not say which of two rotations of that day is meant."""
    soon = replace(tenant("acme"), key=KeyTimes(next_rotation=NOW + timedelta(hours=10, minutes=5)))
    late = replace(tenant("fjord"), key=KeyTimes(next_rotation=NOW - timedelta(hours=2)))
    told = fleet_rows.text(fleet(soon, late))
    assert "\nacme    ok     -        in 10 h " in told
    assert "\nfjord   ok     -        2026-11-29 " in told


def test_one_trouble_of_a_cell_is_counted_as_one() -> None:
    silent = TroubleView("openai_silent", "unknown", "OpenAI does not answer")
    one, two = fleet(tenant("acme"), troubles=(silent,)), fleet(tenant("acme"), troubles=(silent, silent))
    assert fleet_rows.summary(one) == "1 tenant: 1 ok. 1 trouble of a whole cell or organization."
    assert fleet_rows.summary(two) == "1 tenant: 1 ok. 2 troubles of whole cells or organizations."


def test_of_several_cells_each_line_says_which() -> None:
    one = fleet(tenant("acme"))
    two = FleetView(NOW, (*one.cells, replace(one.cells[0], name="prod-us1")))
    assert "\nprod-us1  acme    ok " in fleet_rows.text(two)


def test_an_empty_cell_says_so() -> None:
    assert fleet_rows.text(fleet()).startswith("0 tenants.\n")


@pytest.mark.parametrize(("spent", "told"), [("199.999", "199.99 of 200"), ("200", "200.00 of 200")])
def test_a_budget_is_told_as_reached_when_it_is(spent: str, told: str) -> None:
    one = replace(tenant("acme"), spend=SpendView((), Decimal(spent), 200, True, None, NOW))
    assert fleet_rows.text(fleet(one)).splitlines()[3].endswith(f"  {told}")


def test_json_keeps_every_cent_and_time() -> None:
    days = (DayView(NOW.date(), Decimal("0.0000525"), provisional=True),)
    one = replace(tenant("acme"), spend=SpendView(days, Decimal("0.0000525"), 200, True, None, NOW))
    told = json.loads(json.dumps(fleet_rows.as_json(fleet(one))))
    (spent,) = [each["spend"] for each in told["cells"][0]["tenants"]]
    assert spent["days"] == [{"day": "2026-11-29", "usd": "0.0000525", "provisional": True}]
    assert spent["limit_usd"] is None, "what is not known is null"
    assert told["as_of"] == "2026-11-29T09:00:00+00:00"
