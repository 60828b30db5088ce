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
from ops.handover_page import clipboard
from ops.handover_page.clipboard import Clipboard
from tests.browser.axe import axe
from tests.browser.launch import NewPage
from tests.handover.conftest import OpenTab
from tests.handover.machine import Machine
from tests.handover.person import CINNOX, NO_CLIPBOARD, RESULT, Command, Tab, allow_clipboard, refuse_clipboard

pytestmark = pytest.mark.browser

NOT_READABLE = "delete Clipboard.prototype.readText"
"""As a browser that lets no page look at the clipboard."""


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


# --- copying ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("undefined", "This browser gives this page no clipboard."),
        ("denied", "The browser refused to copy."),
        ("swallowed", "Not copied: the clipboard was read back, and holds something else."),
    ],
)
def test_where_nothing_was_copied_the_key_is_shown_selected_and_nobody_says_copied(
    command: Command, open_tab: OpenTab, case: str, said: str
) -> None:
    scripts = {
        "undefined": NO_CLIPBOARD,
        "swallowed": "Clipboard.prototype.writeText = async () => {}",
    }
    tab = open_tab(script=scripts.get(case, ""), clock=True, allowed=case == "swallowed")
    if case == "denied":
        refuse_clipboard(tab.page, "clipboard-write")
    if case == "swallowed":
        tab.page.evaluate("navigator.clipboard.write([new ClipboardItem({'text/plain': 'something else'})])")

    tab.copy()

    expect(tab.note).to_contain_text(said)
    expect(tab.note).to_contain_text("shown and selected for 20 seconds")
    assert tab.page.evaluate("getSelection().toString()") == command.key
    assert not any(line.startswith("Copied") for line in tab.said())
    axe(tab.page)
    tab.page.clock.run_for(20_000)
    expect(tab.page.locator("#shown")).to_be_hidden()
    assert command.key not in tab.page.content()
    expect(tab.button("Copy the key")).to_be_focused()


def test_who_copies_by_hand_is_told_that_nothing_proves_it(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab(script=NO_CLIPBOARD)
    tab.copy()
    expect(tab.page.locator("#shown")).to_have_text(command.key)

    tab.page.keyboard.press("Control+C")

    expect(tab.note).to_contain_text("Copied, not proven")
    expect(tab.page.locator("#shown")).to_be_hidden()
    assert command.key not in tab.page.content()
    expect(tab.clipboard_note).to_contain_text("is cleared in 60 seconds")


@pytest.mark.parametrize("case", ["no way to look", "denied"])
def test_a_browser_that_lets_no_page_look_gets_not_proven(command: Command, open_tab: OpenTab, case: str) -> None:
    tab = open_tab(script=NOT_READABLE if case == "no way to look" else "", allowed=case == "no way to look")
    if case == "denied":
        refuse_clipboard(tab.page, "clipboard-read")

    tab.copy()

    expect(tab.note).to_contain_text(
        "Copied, not proven: this browser does not let the page look. "
        f"After pasting, see that it ends with {command.last_four}"
    )
    axe(tab.page)


# --- the clipboard after 60 seconds ----------------------------------------------------------------------------------


def _copied(open_tab: OpenTab, **how: Any) -> Tab:
    tab = open_tab(clock=True, **how)
    tab.copy()
    expect(tab.note).to_contain_text("Copied")
    return tab


def test_after_a_minute_the_page_in_focus_clears_the_clipboard(command: Command, open_tab: OpenTab) -> None:
    tab = _copied(open_tab)
    tab.page.clock.run_for(59_000)
    assert tab.clipboard() == command.key

    tab.page.clock.run_for(1_500)

    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    assert tab.clipboard() == ""
    axe(tab.page)


def test_a_page_that_is_not_in_focus_clears_it_when_it_is_next_and_says_so(command: Command, open_tab: OpenTab) -> None:
    tab = _copied(open_tab)
    tab.page.evaluate("document.hasFocus = () => false")

    tab.page.clock.run_for(60_000)

    expect(tab.clipboard_note).to_contain_text("It is cleared when you come back to this page")
    assert tab.clipboard() == command.key, "Chromium allows no access from a tab in the background"
    axe(tab.page)
    tab.page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")
    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    assert tab.clipboard() == ""


def test_something_else_in_the_clipboard_is_left_alone(open_tab: OpenTab) -> None:
    tab = _copied(open_tab)
    tab.page.evaluate("navigator.clipboard.writeText('a telephone number')")

    tab.page.clock.run_for(60_000)

    expect(tab.clipboard_note).to_contain_text("left alone")
    assert tab.clipboard() == "a telephone number"


def test_a_browser_that_does_not_let_the_page_look_has_its_clipboard_cleared_and_is_told(open_tab: OpenTab) -> None:
    tab = _copied(open_tab, script="Clipboard.prototype.look = Clipboard.prototype.readText; " + NOT_READABLE)

    tab.page.clock.run_for(60_000)

    expect(tab.clipboard_note).to_have_text("The clipboard was cleared, without a look at what it held.")
    assert tab.page.evaluate("navigator.clipboard.look()") == ""


def test_a_browser_that_refuses_to_clear_gets_a_button(command: Command, open_tab: OpenTab) -> None:
    tab = _copied(open_tab)
    tab.page.evaluate(
        "kept = Clipboard.prototype.writeText; Clipboard.prototype.writeText = async () => { throw 0 }; null"
    )
    tab.page.clock.run_for(60_000)
    expect(tab.clipboard_note).to_contain_text("may still hold the key")
    axe(tab.page)
    tab.page.evaluate("Clipboard.prototype.writeText = kept; null")

    tab.button("Clear the clipboard").click()

    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    assert tab.clipboard() == ""


def test_a_clipboard_is_cleared_by_the_page_after_the_command_has_ended(command: Command, open_tab: OpenTab) -> None:
    tab = _copied(open_tab)
    command.server.close()

    tab.page.clock.run_for(60_000)

    expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
    assert tab.clipboard() == ""


def test_a_command_that_sees_the_clipboard_proves_the_copy_and_clears_it_from_the_background(
    new_page: NewPage, tmp_path: Path
) -> None:
    """Where the browser lets no page look."""
    machine = Machine(tmp_path, "xclip")
    command = Command(clipboard.find(machine.environment))
    try:
        page = new_page()
        page.add_init_script(NOT_READABLE)
        page.clock.install()
        tab = Tab(page, command).open()
        # In place of the browser, whose clipboard a headless one keeps to itself.
        machine["clipboard"] = command.key
        tab.copy()
        expect(tab.note).to_contain_text("Copied: the clipboard was read back")
        page.evaluate("document.hasFocus = () => false")
        page.clock.run_for(60_000)
        expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
        assert machine["clipboard"] == ""
    finally:
        command.server.close()


def test_a_clipboard_of_another_machine_is_not_taken_for_the_browsers(new_page: NewPage, tmp_path: Path) -> None:
    """As over ssh: what the command sees there is something else, and says nothing about the browser's."""
    machine = Machine(tmp_path, "xclip")
    machine["clipboard"] = "of the other machine"
    command = Command(clipboard.find(machine.environment))
    try:
        page = new_page()
        allow_clipboard(page.context, command)
        page.clock.install()
        tab = Tab(page, command).open()
        tab.copy()
        expect(tab.note).to_contain_text("Copied: the clipboard was read back")
        page.clock.run_for(60_000)
        expect(tab.clipboard_note).to_have_text("The clipboard was cleared.")
        assert (tab.clipboard(), machine["clipboard"]) == ("", "of the other machine")
    finally:
        command.server.close()


# --- leaving ---------------------------------------------------------------------------------------------------------


def _left(command: Command) -> None:
    """Until the command has heard of it."""
    for _ in range(2_000):
        if not command.visit._tab:
            return
        command.ask("GET", "/")
    raise AssertionError("the page did not say that it was left")


@pytest.mark.parametrize("way", ["reload", "back and forward"])
def test_a_page_that_was_left_has_no_key_and_goes_on(command: Command, open_tab: OpenTab, way: str) -> None:
    tab = open_tab(script=NO_CLIPBOARD)
    tab.copy()
    expect(tab.page.locator("#shown")).to_have_text(command.key)

    if way == "reload":
        tab.page.reload()
    else:
        tab.page.goto("about:blank")
        tab.page.go_back()

    tab.wait_until_ready()
    assert command.key not in tab.page.content()
    assert "#" not in tab.page.url
    tab.say_saved()
    expect(tab.title).to_contain_text("Recorded")


def test_a_second_tab_with_the_same_link_is_told_and_so_is_the_terminal(command: Command, open_tab: OpenTab) -> None:
    first = open_tab()
    second = Tab(first.page.context.new_page(), command).open(ready=False)

    expect(second.title).to_have_text("This link was used")
    assert command.key not in second.page.content()
    assert any("second page" in line for line in command.told)
    axe(second.page)
    first.say_saved()
    expect(first.title).to_contain_text("Recorded")


def test_a_duplicate_of_the_tab_is_told_where_the_page_is_open(command: Command, open_tab: OpenTab) -> None:
    """A duplicate has the first tab's storage."""
    first = open_tab()
    with first.page.context.expect_page() as opened:
        first.page.evaluate("void open(location.pathname, '_blank')")
    second = opened.value

    expect(second.locator("h1")).to_have_text("The page is open in another tab")
    assert any("second tab" in line for line in command.told)
    axe(second)


def test_a_tab_that_is_restored_after_the_end_has_nothing(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.copy()
    expect(tab.note).to_contain_text("Copied")
    tab.page.goto("about:blank")
    _left(command)

    command.pass_time(21)

    assert command.visit.end == "closed"
    tab.page.go_back()
    expect(tab.title).to_have_text("This page has ended")
    assert command.key not in tab.page.content()
    axe(tab.page)


def test_a_page_whose_command_was_stopped_says_so_at_the_next_press(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab()
    command.server.close()
    tab.copy()
    expect(tab.title).to_have_text("This page has ended")
    expect(tab.page.locator("#lead")).to_contain_text("still due")


def test_the_end_of_the_ten_minutes_is_warned_of_and_said(command: Command, open_tab: OpenTab) -> None:
    tab = open_tab(clock=True)
    tab.page.clock.fast_forward(540_000)
    expect(tab.page.locator("#time-note")).to_contain_text("ends in one minute")
    axe(tab.page)
    tab.page.clock.fast_forward(60_000)
    expect(tab.title).to_have_text("This page has ended")
    command.pass_time(600)
    assert command.visit.end == "too_long"


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
