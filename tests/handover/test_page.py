"""The page in a real browser: what a person sees and hears in each state, with axe in each.

A page that the browser reports an error of fails its test, so a blocked script or style is found everywhere here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from docs.handover_screenshots import PICTURES
from ops.handover_page.clipboard import Clipboard
from tests.browser.axe import axe
from tests.browser.launch import NewPage
from tests.handover.conftest import OpenTab
from tests.handover.person import CINNOX, NO_CLIPBOARD, RESULT, Command, Tab

pytestmark = pytest.mark.browser


def test_a_person_is_led_through_the_clicks_copies_saves_and_is_told_what_holds(
    command: Command, open_tab: OpenTab
) -> None:
    tab = open_tab()
    expect(tab.title).to_have_text("Hand over the key of Acmé Travel to CINNOX")
    expect(tab.page.locator("#cell")).to_have_text("Cell prod-eu1")
    expect(tab.page.locator("#masked")).to_have_text(f"…{command.last_four}")
    clicks = tab.page.locator("#steps label").all_inner_texts()
    assert clicks == list(CINNOX.steps[:-1])
    expect(tab.page.locator("#save-title")).to_contain_text(f"Press {CINNOX.steps[-1]}")
    axe(tab.page)

    tab.copy()

    expect(tab.note).to_contain_text(
        f"Copied: the clipboard was read back, and holds the key that ends with {command.last_four}"
    )
    assert tab.clipboard() == command.key
    axe(tab.page)

    tab.button("Saved in CINNOX").click()
    expect(tab.page.locator("#asked")).to_have_text("Did CINNOX's own test call work?")
    expect(tab.page.locator("#asked")).to_be_focused()
    assert command.answers == [], "nothing is recorded before the answer"
    axe(tab.page)

    tab.button("Yes, it worked").click()

    expect(tab.title).to_have_text(f"Recorded: CINNOX has the key that ends with {command.last_four}")
    expect(tab.title).to_be_focused()
    assert tab.page.locator("#lines li").all_inner_texts() == RESULT
    assert (command.answers, command.visit.end) == (["worked"], "saved")
    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    assert tab.clipboard() == ""
    axe(tab.page)


def test_who_says_not_now_leaves_it_due(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.copy()
    expect(tab.note).to_contain_text("Copied:")

    tab.button("Not now").click()

    expect(tab.title).to_have_text("Nothing was recorded")
    expect(tab.page.locator("#lead")).to_contain_text("still due")
    assert (command.answers, command.visit.end) == ([], "later")
    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    axe(tab.page)


def test_a_failed_test_call_records_nothing_and_leads_back_to_copy(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()

    tab.say_saved("No, it failed")

    expect(tab.page.locator("#save-note")).to_contain_text("Nothing was recorded")
    expect(tab.button("Copy the key")).to_be_focused()
    assert (command.answers, command.visit.end) == ([], None)
    axe(tab.page)
    tab.say_saved("I did not try")
    expect(tab.title).to_contain_text("Recorded")
    assert command.answers == ["not_tried"]


def test_a_record_that_fails_says_why_and_can_be_tried_again(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    command.refuses = "AWS cannot be reached."
    tab.say_saved()
    expect(tab.page.locator("#save-note")).to_have_text("Not recorded: AWS cannot be reached.")
    axe(tab.page)

    command.refuses = ""
    tab.button("Yes, it worked").click()

    expect(tab.title).to_contain_text("Recorded")
    assert command.answers == ["worked"]


def test_a_double_click_confirms_once(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.button("Saved in CINNOX").click()
    tab.button("Yes, it worked").dblclick()
    expect(tab.title).to_contain_text("Recorded")
    assert command.answers == ["worked"]


# --- for everybody ---------------------------------------------------------------------------------------------------


def test_it_works_by_the_keyboard_alone(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    keys = tab.page.keyboard
    for _ in CINNOX.steps[:-1]:
        keys.press("Tab")
        keys.press("Space")
    assert tab.page.locator("#steps input:checked").count() == len(CINNOX.steps) - 1
    keys.press("Tab")
    keys.press("Enter")
    expect(tab.note).to_contain_text("Copied:")
    keys.press("Tab")
    keys.press("Enter")
    expect(tab.page.locator("#asked")).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(tab.title).to_contain_text("Recorded")
    assert command.answers == ["worked"]


def test_each_outcome_is_said_to_a_screen_reader_once(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.copy()
    expect(tab.note).to_contain_text("Copied:")
    tab.say_saved()
    expect(tab.title).to_contain_text("Recorded")
    said = tab.said()
    for beginning in ("Copied: the clipboard was read back", "The clipboard is cleared in 60", "Recorded: CINNOX"):
        assert len([line for line in said if line.startswith(beginning)]) == 1, said
    assert not any(command.key in line for line in said)


@pytest.mark.parametrize(
    "context",
    [
        {"color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 640}, "has_touch": True},
        {"forced_colors": "active"},
    ],
    ids=["dark", "phone", "high contrast"],
)
def test_it_is_readable_in_the_dark_on_a_phone_and_in_high_contrast(
    command: Command, open_tab: OpenTab, context: dict[str, Any]
) -> None:
    tab = open_tab(script=NO_CLIPBOARD, **context)
    tab.copy()
    expect(tab.page.locator("#shown")).to_be_visible()
    wide = tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "nothing is wider than the screen"
    axe(tab.page)
    tab.say_saved()
    expect(tab.title).to_contain_text("Recorded")
    axe(tab.page)


def test_what_is_printed_has_no_key(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab(script=NO_CLIPBOARD)
    tab.copy()
    expect(tab.page.locator("#shown")).to_be_visible()
    tab.page.emulate_media(media="print")
    expect(tab.page.locator("#shown")).to_be_hidden()


def test_without_javascript_the_page_says_so_and_the_link_is_not_spent(command: Command, new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(command.link)
    expect(page.get_by_text("This page needs JavaScript")).to_be_visible()
    assert command.post("/open", token=command.visit.token)[0] == 200


def test_a_tenants_name_is_text_and_no_html(new_page: NewPage) -> None:
    command = Command(Clipboard(None), name="<b>Acme</b> $style {name}")
    try:
        tab = Tab(new_page(), command).open()
        expect(tab.title).to_contain_text("<b>Acme</b> $style {name}")
        assert tab.page.locator("h1 b").count() == 0
    finally:
        command.server.close()


def test_the_browser_lets_nothing_turn_text_into_html(chromium: Browser, command: Command) -> None:
    """In a page of its own, since what is refused here is an error elsewhere."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(command.link)
    expect(page.locator("#copy")).to_be_visible()
    for sink in ("document.body.innerHTML = '<b>x</b>'", "document.write('x')", "run.text = 'ran = 1'"):
        code = f"run = document.createElement('script'); try {{ {sink}; '' }} catch (error) {{ error.name }}"
        assert page.evaluate(code) == "TypeError", sink
    context.close()


def test_the_guide_shows_each_picture() -> None:
    docs = Path(__file__).parents[2] / "docs"
    guide = (docs / "handover.md").read_text(encoding="utf-8")
    shown = re.findall(r"images/(handover-[a-z-]+)\.png", guide)
    assert " → ".join(CINNOX.steps) in " ".join(guide.split())
    assert shown == [picture.name for picture in PICTURES]
    assert sorted(shown) == sorted(file.stem for file in (docs / "images").glob("handover-*.png"))
