"""What a tenant's view draws: days, budget, the life of a key, limits and models, and nothing that is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ops.actions.fleet_view import CellView, FleetView, HandoverView
from tests.page.conftest import Look
from tests.page.fleets import BROKEN, NOW, one_of_each, without_a_key

pytestmark = pytest.mark.browser


def test_a_day_without_data_is_no_zero_and_a_provisional_one_is_hatched(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/acme")
    bars = page.locator(".chart .bar")
    assert bars.count() == 35
    assert page.locator(".chart .bar.none").count() == 3
    (hatched,) = page.locator(".chart .bar.provisional").all()
    assert "hatch" in hatched.evaluate("(bar) => getComputedStyle(bar).fill")
    assert hatched.locator("title").text_content() == "29 Nov 2026: $0.50, provisional"
    page.get_by_text("Each day in a table").click()
    rows = [row.inner_text().split("\t") for row in page.locator("details tbody tr").all()]
    assert rows[0] == ["30 Nov 2026", "–", "no data"]
    assert rows[1] == ["29 Nov 2026", "$0.50", "provisional: OpenAI may still change it"]
    assert sum(row[2] == "no data" for row in rows) == 3


def test_spend_stands_beside_the_budget_also_above_it(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/solmar")
    panel = page.locator(".panel", has=page.get_by_role("heading", name="Spend", exact=True))
    assert panel.locator(".figure").inner_text() == "$207.90 of $200.00 this month 103.95 %"
    assert "OpenAI blocks calls beyond the budget. The spend limit at OpenAI is $200.00." in panel.inner_text()
    level, mark = panel.locator(".meter .level"), panel.locator(".meter .mark")
    assert level.get_attribute("width") == "100%"
    assert float((mark.get_attribute("x1") or "").rstrip("%")) == pytest.approx(100 / 1.0395, abs=0.1)


def test_a_small_sum_is_not_rounded_to_nothing(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/lumen")
    assert page.locator(".figure").inner_text() == "$0.0800 this month"
    assert "No budget is declared" in page.locator("main").inner_text()


def test_the_line_of_a_keys_life_is_in_the_order_of_time_and_told_in_words(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/solmar")

    def x(name: str) -> float:
        return float((page.locator(f".timeline {name}").get_attribute("x") or "").rstrip("%"))

    now = float((page.locator(".timeline .now").get_attribute("x1") or "").rstrip("%"))
    assert x(".minted") <= x(".promoted") < x(".overlap") < now < x(".rotation") < x(".expires")
    told = [
        each.inner_text() for each in page.locator(".panel", has=page.locator(".timeline")).locator("dl > div").all()
    ]
    assert [line.split("\n")[0] for line in told] == [
        "Minted",
        "Promoted",
        "Previous key ends",
        "Next rotation",
        "Expires",
    ]
    assert told[4] == "Expires\n25 Dec 2026, 11:20 UTC in 25 days"


def test_what_began_after_the_fleet_was_asked_has_just_begun(look: Look) -> None:
    """The function's clock and AWS's differ."""
    early = replace(BROKEN, troubles=(replace(BROKEN.troubles[0], since=NOW + timedelta(minutes=5)),))
    page = look(FleetView(NOW, (CellView("prod-eu1", NOW, NOW, (), (early,)),)))
    assert " · 0 min" in page.locator(".cards .state-word").inner_text()


def test_a_rotation_that_should_have_been_is_overdue(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/acme")
    assert "26 Nov 2026, 11:20 UTC 4 days overdue" in page.locator("main").inner_text()


def test_each_model_has_its_limits_their_use_and_its_end(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/solmar")
    rows = [row.inner_text().replace("\n", " ").split("\t") for row in page.locator(".stacked tbody tr").all()]
    assert rows == [
        ["gpt-5-mini default", "500 up to 6.9 % used", "200,000", "2026-12-11, in 11 days then gpt-5.4-mini"],
        ["gpt-4.1", "60 up to 57.2 % used", "organization's", "2027-01-14, in 45 days then gpt-5.4"],
        ["gpt-5.4-nano", "organization's", "organization's", "none announced"],
    ]


def test_a_tenant_without_traffic_has_no_rate(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/lumen")
    assert "No traffic in the hour of the last look and the hour before it." in page.locator("main").inner_text()
    (used,) = page.locator(".stacked td .quiet").all()
    assert used.inner_text() == "no traffic"


def test_a_tenant_without_a_key_is_not_said_to_have_one_of_which_nothing_is_known(look: Look) -> None:
    said = look(without_a_key(), "#/prod-eu1/harbor").locator("main").inner_text()
    assert "It has no key" in said
    assert "the runtime gets tokens" in said
    for words in ("No time of this key", "Readable in AWS", "MyFlux Keys makes the keys"):
        assert words not in said


def test_a_hand_over_says_its_state_until_when_and_since_when_it_is_connected(look: Look) -> None:
    due = HandoverView("cinnox", "due", NOW - timedelta(days=1), NOW - timedelta(days=90), NOW + timedelta(days=6))
    first = HandoverView("other-one", "of a later version")
    fleet = FleetView(NOW, (CellView("a", NOW, NOW, (), (replace(BROKEN, handovers=(due, first)),)),))
    page = look(fleet, "#/a/solmar")
    rows = [each.inner_text().split("\n", 1) for each in page.locator(".facts > div").all()]
    told = {name: text.replace("\n", " ") for name, text in rows}
    assert told["cinnox"].startswith("its current key was not handed over, since ")
    assert "; the old key ends on " in told["cinnox"]
    assert "; connected since " in told["cinnox"]
    assert told["other-one"] == "of a later version; never connected"


def test_what_is_to_be_typed_within_a_sentence_looks_like_it(look: Look) -> None:
    typed = replace(BROKEN.troubles[0], sentence="it has a file: `myflux-keys up solmar` deploys it", do="`only")
    tenant = replace(BROKEN, troubles=(typed,))
    page = look(FleetView(NOW, (CellView("prod-eu1", NOW, NOW, (), (tenant,)),)), "#/prod-eu1/solmar")
    trouble = page.locator(".trouble")
    assert trouble.locator("h3 code").inner_text() == "myflux-keys up solmar"
    assert "It has a file: myflux-keys up solmar deploys it" in trouble.inner_text()
    assert "To do: `only" in trouble.inner_text(), "one alone is text"


def test_what_is_not_known_is_said_to_be_unknown_and_never_drawn(look: Look) -> None:
    page = look(one_of_each(), "#/prod-eu1/nordlys")
    said = page.locator("main").inner_text()
    assert page.locator(".chart, .timeline, .meter").count() == 0
    for words in ("No time of this key is known", "OpenAI's costs were not read", "not visible in OpenAI's usage"):
        assert words in said
    for zero in ("$0", "0 %", "NaN", "undefined", "null", "1970"):
        assert zero not in said
