"""The page in each state: light and dark, small and large, by keyboard, read aloud, printed, without script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ops.cli import fleet_rows
from tests.browser.axe import axe
from tests.page.conftest import Look
from tests.page.fleets import NOW, one_of_each
from tests.page.states import STATES, State

pytestmark = pytest.mark.browser

each_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


@each_state
def test_axe_finds_nothing_in_light_and_dark(look: Look, state: State) -> None:
    page = look(state.fleet, state.fragment, color_scheme="light")
    for summary in page.locator("summary").all():
        summary.click()
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page)


def test_axe_finds_nothing_while_somebody_searches_or_looks_at_an_old_page(look: Look) -> None:
    """States that an action or the time makes, and no fleet."""
    page = look(one_of_each())
    page.clock.set_fixed_time(NOW + timedelta(days=3))
    page.reload()
    assert page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Broken").click()
    axe(page)
    page.get_by_label("Find a tenant").fill("nobody has this name")
    assert page.get_by_role("status").inner_text() == "0 of 18 tenants shown"
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        axe(page)


@each_state
def test_on_a_small_phone_nothing_needs_a_scroll_to_the_side(look: Look, state: State) -> None:
    """320 px is also what a window of 1,280 px has left at a zoom of 400 %."""
    page = look(state.fleet, state.fragment, viewport={"width": 320, "height": 640})
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.scrollingElement.scrollWidth") == 320
    beyond = """[...document.querySelectorAll("main *")].filter((each) => !each.closest(".unseen, thead, svg svg")
        && each.getBoundingClientRect().right > 320.5).map((each) => each.outerHTML.slice(0, 200))"""
    assert page.evaluate(beyond) == []


def test_a_person_who_cannot_use_a_mouse_finds_a_tenant_reads_it_and_comes_back(look: Look) -> None:
    page = look(one_of_each())
    focused = page.locator(":focus")

    def tab_to(words: str, key: str = "Tab") -> None:
        for _ in range(20):
            page.keyboard.press(key)
            if words in (focused.inner_text() or focused.get_attribute("id") or ""):
                return
        pytest.fail(f"20 times Tab did not reach {words}")

    tab_to("Broken")
    page.keyboard.press("Space")
    assert focused.get_attribute("aria-pressed") == "true"
    assert page.get_by_role("status").inner_text() == "1 of 18 tenants shown"
    page.keyboard.press("Space")
    tab_to("search")
    page.keyboard.type("ACME")
    assert page.get_by_role("status").inner_text() == "1 of 18 tenants shown"
    tab_to("Acme Travel")
    assert focused.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is visible"
    page.keyboard.press("Enter")
    page.locator("h1:focus").wait_for()
    assert focused.inner_text() == "Acme Travel"
    assert page.title() == "MyFlux Keys: Acme Travel"
    tab_to("Each day in a table")
    page.keyboard.press("Enter")
    page.get_by_role("row").filter(has_text="29 Nov 2026").wait_for()
    tab_to("All tenants", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("li a:focus").wait_for()
    assert "Acme Travel" in focused.inner_text(), "where the reader left"


def test_a_screen_reader_says_the_state_of_each_tenant_and_what_is_wrong(look: Look) -> None:
    page = look(one_of_each())
    said = page.locator("main").aria_snapshot()
    assert 'heading "2 of 18 tenants need a person" [level=1]' in said
    assert 'button "1 Broken"' in said
    assert re.search(
        r"link \"Clínica Sol y Mar Broken: calls fail · 3 h · 1 more OpenAI blocks .* myflux-keys up solmar\"",
        said,
    )
    assert 'link "Nordlys Hotell Not known: no answer"' in said
    assert (
        said.index("Clínica")
        < said.index("Acme")
        < said.index("Nordlys")
        < said.index("Old Shop")
        < said.index("Lumen")
    )


def test_each_state_has_a_word_and_a_shape_of_its_own(look: Look) -> None:
    page = look(one_of_each())
    headings = page.locator("main h2")
    shapes = [each.locator("use").get_attribute("href") for each in headings.all()]
    assert len(set(shapes)) == len(shapes) == 5
    drawn = {page.locator(f"symbol{shape} .shape").get_attribute("d") for shape in shapes}
    assert len(drawn) == 5
    words = [each.inner_text().splitlines()[0].upper() for each in headings.all()]
    assert words == list(fleet_rows._WORDS.values()), "as in the terminal"


def test_a_time_is_in_utc_and_the_readers_own_is_at_hand(look: Look) -> None:
    time = look(one_of_each()).locator("main time").first
    assert time.inner_text() == "30 Nov 2026, 11:20 UTC"
    assert "8:20:00" in (time.get_attribute("title") or ""), "Tokyo's"


def test_print_is_dark_on_white_and_without_what_paper_cannot_do(look: Look) -> None:
    page = look(one_of_each(), color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 23)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 31, 38)"
    assert not page.get_by_label("Find a tenant").is_visible()
    assert page.get_by_text("Clínica Sol y Mar").is_visible()


def test_without_script_the_page_says_where_to_look_instead(look: Look) -> None:
    page = look(one_of_each(), java_script_enabled=False)
    assert "myflux-keys status" in page.locator("noscript").inner_text()
    assert page.title() == "MyFlux Keys: 2 of 18 tenants need a person"
