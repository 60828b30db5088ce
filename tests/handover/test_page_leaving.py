"""A page that is left, doubled or late, in a real browser: it has no key, and says what holds."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import axe
from tests.handover.conftest import OpenTab
from tests.handover.person import NO_CLIPBOARD, Command, Tab

pytestmark = pytest.mark.browser


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
