"""The page asks no server, runs nothing but its own script, and shows hostile names as text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ops.actions.fleet_view import CellView, FleetView
from ops.page.facts import facts
from ops.page.page import page
from tests.browser.launch import opening
from tests.page.conftest import Look
from tests.page.fleets import HOSTILE, NOW, OK, hostile, of, one_of_each

pytestmark = pytest.mark.browser


def test_no_request_leaves_the_machine(look: Look) -> None:
    page = look(one_of_each())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.get_by_text("Acme Travel").click()
    page.go_back()
    page.wait_for_selector("search")
    assert [url for url in asked if not url.startswith(("data:,", page.url.partition("#")[0]))] == []
    assert asked, "the reload itself was not seen"


@pytest.mark.parametrize(
    ("foreign", "directive"),
    [
        ("<script>document.title = 'owned'</script>", "script-src"),
        ("<img src=/x onerror=\"document.title = 'owned'\">", "img-src"),
        ("<p style='display: none'>", "style-src"),
        ("<iframe src='https://example.com'></iframe>", "default-src"),
    ],
)
def test_even_markup_that_got_into_the_file_runs_and_fetches_nothing(
    chromium: Browser, tmp_path: Path, foreign: str, directive: str
) -> None:
    file = tmp_path / "status.html"
    file.write_text(page(one_of_each()).decode().replace("<noscript>", f"{foreign}<noscript>"), encoding="utf-8")
    titles: list[str] = []

    def open_it() -> None:
        with opening(chromium) as new_page:
            shown = new_page()
            shown.goto(file.as_uri())
            titles.append(shown.title())

    with pytest.raises(AssertionError, match=directive):
        open_it()
    assert titles == ["MyFlux Keys: 2 of 18 tenants need a person"], "and the page's own script still runs"


def test_a_hostile_name_is_text_wherever_it_stands(look: Look) -> None:
    fleet = hostile()
    page = look(fleet)
    assert page.locator("main script, main img, main b").count() == 0
    assert page.evaluate("document.scripts.length") == 2
    assert [each.text_content() for each in page.locator(".who bdi").all()] == list(HOSTILE), "isolated, and whole"
    for number, text in enumerate(HOSTILE):
        page.goto(page.url.partition("#")[0] + f"#/cell/bad-{number}")
        page.reload()
        assert page.locator("h1").text_content() == text
        shown = page.locator("main").text_content() or ""
        assert shown.count(text) >= 7, "name, state, organization, trouble, what to do, command, model, consumer"
        assert page.locator("main script, main img, main b").count() == 0
        assert page.evaluate("document.title") != "owned"


def test_no_character_of_a_name_has_a_meaning_in_the_file() -> None:
    text = page(hostile()).decode()
    told = text.partition('id="facts">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(told)
    assert json.loads(told) == facts(hostile())


def test_nothing_shaped_like_a_key_is_in_the_file() -> None:
    key = "sk-" + "proj-" + "a1B2" * 8
    for tenant in (
        replace(OK, name=key),
        replace(OK, state=f"with {key}"),
        replace(OK, consumers=(key,)),
        replace(OK, through=f"https://example.com/?key={key}"),
        replace(OK, models=(replace(OK.models[0], replacement=key),)),
    ):
        text = page(FleetView(NOW, (CellView("prod-eu1", NOW, NOW, (), (tenant,)),))).decode()
        assert key not in text
        assert "[redacted]" in text


def test_a_page_that_was_left_lying_or_left_open_says_its_age(look: Look) -> None:
    page = look(one_of_each())
    age = page.get_by_role("alert")
    assert age.inner_text() == ""
    page.clock.set_fixed_time(NOW + timedelta(days=3))
    page.reload()
    assert age.inner_text().startswith("This page is 3 days old. Write it again: ")
    page.clock.install(time=NOW)
    page.reload()
    assert age.inner_text() == ""
    page.clock.fast_forward("03:00:00")
    assert age.inner_text().startswith("This page is 3 h old. Write it again: ")


@pytest.mark.parametrize("fragment", ["#/%", "#/prod-eu1/nobody", "#nonsense", "#/prod-eu1/acme/more"])
def test_an_address_that_names_no_tenant_shows_all_of_them(look: Look, fragment: str) -> None:
    assert look(one_of_each(), fragment).get_by_role("heading", level=1).inner_text() == "2 of 18 tenants need a person"


@pytest.mark.parametrize("troubled", [False, True], ids=["a few in trouble", "all in trouble, each in its own words"])
def test_two_thousand_tenants_are_less_than_two_megabytes(troubled: bool) -> None:
    assert len(page(of(2_000, all_troubled=troubled))) < 2_000_000
