"""Copying in a real browser: "copied" is said only where it was proven, and after a minute the clipboard has no key."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from ops.handover_page import clipboard
from tests.browser.axe import axe
from tests.browser.launch import NewPage
from tests.browser.launch import chromium as started
from tests.handover.conftest import OpenTab
from tests.handover.machine import Machine
from tests.handover.person import NO_CLIPBOARD, Command, Tab, allow_clipboard, refuse_clipboard

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """Its rules for the clipboard are a person's."""
    with started(whole=True) as browser:
        yield browser


NOT_READABLE = "delete Clipboard.prototype.readText"
"""As a browser that lets no page look at the clipboard."""


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
