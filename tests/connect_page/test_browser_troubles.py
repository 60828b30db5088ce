"""What goes wrong around the page in a real browser: network, Lambda itself, two tabs, impatience, scanners, traces.

Nothing is lost before Save, nothing is saved twice, a scanner spends nothing, and the key stays nowhere.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from functions.connect import render
from tests.browser.launch import NewPage, recorded
from tests.connect_page.customer import Customer, Tab
from tests.connect_page.serving import Way
from tests.connect_page.world import Given, Intake
from tests.customer_key.theirs import TheirOpenAI

pytestmark = pytest.mark.browser

NOTICES = render.words("en")["notices"]


def _once_each(way: int | str) -> Way:
    """In the way of the first request for each path."""
    waiting = {"/session", "/check", "/save"}

    def look(path: str) -> int | str | None:
        if path not in waiting:
            return None
        waiting.remove(path)
        return way

    return look


def _always(path: str, way: int | str) -> Way:
    return lambda asked: way if asked == path else None


@pytest.mark.parametrize("way", [429, 502, 503, 504, "lost", "answer_lost"])
def test_each_request_that_fails_once_is_asked_again_and_ends_well(
    customer: Customer, given: Given, theirs: TheirOpenAI, intake: Intake, way: int | str
) -> None:
    """Lambda's own statuses, a lost request and a lost answer, at opening, checking and saving."""
    key = theirs.key()[1]
    customer.served.in_the_way = _once_each(way)

    tab = customer.open(given)
    tab.paste(key)
    tab.wait_until_right()
    tab.save.click()
    tab.wait_for_receipt()

    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal() == key
    assert sum(call.path == "/v1/responses" for call in intake.cell.openai.calls()) == 1


def _patiently(page: Page, text: str) -> None:
    """Lets the page's own time run until it says this."""
    for _ in range(60):
        if page.get_by_text(text, exact=True).first.is_visible():
            return
        page.clock.run_for(5_000)
        page.wait_for_timeout(50)
    raise AssertionError(f"the page did not say: {text}")


def test_a_network_that_stays_away_is_said_and_what_was_pasted_stays(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    key = theirs.key()[1]
    tab = customer.open(given)
    tab.page.clock.install()
    customer.served.in_the_way = _always("/check", "lost")
    tab.paste(key)
    tab.page.clock.run_for(100)
    expect(tab.notice).to_contain_text(NOTICES["retrying"])

    _patiently(tab.page, NOTICES["gave_up"])

    assert tab.field.input_value() == key
    customer.served.in_the_way = lambda _: None
    tab.page.clock.resume()
    tab.page.get_by_role("button", name=NOTICES["try_again"]).click()
    tab.wait_until_right()


def test_a_page_that_cannot_open_says_so_and_opens_later(customer: Customer, given: Given) -> None:
    customer.served.in_the_way = _always("/session", 429)
    tab = customer.open(given, wait=False)
    tab.page.clock.install()

    _patiently(tab.page, render.words("en")["problems"]["away"]["title"])

    customer.served.in_the_way = lambda _: None
    tab.page.clock.resume()
    tab.page.get_by_role("button", name=NOTICES["try_again"]).click()
    expect(tab.field).to_be_visible()


def test_lambdas_413_is_said_to_be_too_long(customer: Customer, given: Given) -> None:
    customer.served.in_the_way = _always("/check", 413)
    tab = customer.open(given)

    tab.paste("x" * 100)

    tab.wait_for("shape", "bad")
    expect(tab.row("shape")).to_contain_text(render.words("en")["checks"]["shape"]["too_long"])


def test_a_paste_that_is_larger_than_the_function_takes_is_said_to_be_too_long(
    customer: Customer, given: Given
) -> None:
    tab = customer.open(given)

    tab.paste("x" * 40_000)

    tab.wait_for("shape", "bad")
    expect(tab.row("shape")).to_contain_text(render.words("en")["checks"]["shape"]["too_long"])


def _ready(customer: Customer, given: Given, key: str) -> Tab:
    tab = customer.open(given)
    tab.paste(key)
    tab.wait_until_right()
    return tab


def test_a_double_click_saves_once(customer: Customer, given: Given, theirs: TheirOpenAI) -> None:
    tab = _ready(customer, given, theirs.key()[1])
    customer.served.requests.clear()

    tab.save.dblclick()

    tab.wait_for_receipt()
    assert customer.served.requests.count("POST /save") == 1


def test_of_two_tabs_with_two_keys_the_second_is_told(customer: Customer, given: Given, theirs: TheirOpenAI) -> None:
    key, other = theirs.key()[1], theirs.key()[1]
    first = _ready(customer, given, key)
    second = customer.another_tab(first, given)
    second.paste(other)
    second.wait_until_right()
    first.save.click()
    first.wait_for_receipt()

    second.save.click()

    expect(second.notice).to_have_text(NOTICES["another"])
    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal() == key


def test_two_tabs_with_the_same_key_both_end_with_the_receipt(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    key = theirs.key()[1]
    first = _ready(customer, given, key)
    second = customer.another_tab(first, given)
    second.paste(key)
    second.wait_until_right()

    for tab in (first, second):
        tab.save.click()
        tab.wait_for_receipt()
    expect(second.page.locator("main")).to_contain_text(render.words("en")["receipt"]["already"])


def test_a_key_that_another_tab_saved_shows_the_receipt_when_it_is_checked(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    key = theirs.key()[1]
    first = _ready(customer, given, key)
    second = customer.another_tab(first, given)
    first.save.click()
    first.wait_for_receipt()

    second.paste(key)

    second.wait_for_receipt()
    assert second.page.locator("textarea").count() == 0


def test_a_tab_whose_browser_opened_another_link_saves_nothing(
    customer: Customer, given: Given, intake: Intake, theirs: TheirOpenAI
) -> None:
    first, other = _ready(customer, given, theirs.key()[1]), intake.issue()
    customer.another_tab(first, other)

    first.save.click()

    expect(first.title).to_have_text(render.words("en")["problems"]["other_link"]["title"])
    assert (given.handed_in(), other.handed_in()) == (None, None)


def test_a_link_that_is_withdrawn_meanwhile_is_said_at_save(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    tab = _ready(customer, given, theirs.key()[1])
    given.revoke()

    tab.save.click()

    expect(tab.title).to_have_text(render.words("en")["problems"]["revoked"]["title"])
    assert given.handed_in() is None


def test_text_that_changes_after_the_check_must_be_checked_again(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    tab = _ready(customer, given, theirs.key()[1])

    tab.field.press("End")
    tab.page.keyboard.type("x")

    expect(tab.save).to_have_attribute("aria-disabled", "true")
    tab.save.click(force=True)
    assert given.handed_in() is None


def test_a_link_that_ends_while_the_page_is_open_is_said_before_and_after(
    customer: Customer, intake: Intake, new_page: NewPage
) -> None:
    begun = int(time.time()) - 2700
    given = intake.issue(issued=begun, expires=begun + 3600)
    page = new_page(locale="en-GB")
    page.clock.install()
    page.goto(customer.address(given))
    expect(page.locator("#pasted")).to_be_visible()
    page.locator("#pasted").evaluate("field => field.value = 'something'")
    expect(page.get_by_text("less than ten minutes")).to_have_count(0)

    page.clock.fast_forward(600_000)
    expect(page.locator(".notice.note").first).to_contain_text("less than ten minutes")
    assert page.locator("#pasted").input_value() == "something"

    page.clock.fast_forward(900_000)
    expect(page.locator("h1")).to_have_text(render.words("en")["problems"]["expired"]["title"])


def test_a_computer_whose_clock_is_wrong_can_use_its_link(customer: Customer, given: Given, new_page: NewPage) -> None:
    page = new_page(locale="en-GB")
    page.clock.install(time=given.link.expires + 86_400.0)

    page.goto(customer.address(given))

    expect(page.locator("#pasted")).to_be_visible()
    page.clock.fast_forward(1_000)
    expect(page.locator("#pasted")).to_be_visible()
    expect(page.get_by_text("less than ten minutes")).to_have_count(0)


LEAVE: dict[str, Callable[[Page, str], Any]] = {
    "reload": lambda page, _: page.reload(),
    "back and forward": lambda page, _: (page.goto("about:blank"), page.go_back()),
    "another page of the site, and back": lambda page, url: (page.goto(f"{url}/nothing"), page.go_back()),
}


@pytest.mark.parametrize("way", LEAVE)
def test_a_page_that_was_left_has_no_key_and_the_link_still_works(
    customer: Customer, given: Given, theirs: TheirOpenAI, way: str
) -> None:
    tab = _ready(customer, given, theirs.key()[1])

    LEAVE[way](tab.page, customer.served.url)

    expect(tab.field).to_be_visible()
    expect(tab.field).to_have_value("")
    assert given.token not in tab.page.url
    assert tab.page.locator("#rows li").count() == 0


def test_after_save_neither_back_nor_reload_shows_the_key(
    customer: Customer, given: Given, theirs: TheirOpenAI
) -> None:
    key = theirs.key()[1]
    tab = _ready(customer, given, key)
    tab.save.click()
    tab.wait_for_receipt()

    for leave in LEAVE.values():
        leave(tab.page, customer.served.url)
        tab.wait_for_receipt()
        assert key not in tab.page.content()
        assert tab.page.locator("textarea").count() == 0


def test_a_scanner_that_runs_scripts_and_presses_every_button_spends_nothing(
    customer: Customer, given: Given, theirs: TheirOpenAI, intake: Intake
) -> None:
    for _ in range(3):
        tab = customer.open(given)
        for details in tab.page.locator("details").all():
            details.evaluate("one => one.open = true")
        for button in tab.page.locator("button").all():
            if button.is_visible():
                button.click(force=True)
        tab.page.evaluate("document.querySelectorAll('button').forEach(one => one.click())")
        tab.page.wait_for_load_state("networkidle")

    assert [call for call in intake.cell.openai.calls() if "/organization/" not in call.path] == []
    assert (given.seen()["checks"], given.seen()["handed_in"], given.handed_in()) == (0, "", None)
    tab = _ready(customer, given, theirs.key()[1])
    tab.save.click()
    tab.wait_for_receipt()


def _forms(secret: str) -> list[bytes]:
    """As disks and archives hold it."""
    plain = secret.encode()
    return [plain, secret.encode("utf-16-le"), *(base64.b64encode(b"x" * lead + plain)[4:-4] for lead in range(3))]


def _without_our_bodies(recorded: Path) -> bytes:
    """The archive without the bodies of the requests that carry the key to the function: nowhere else may it be."""
    log: Any = json.loads(recorded.read_text(encoding="utf-8"))
    carried = 0
    for entry in log["log"]["entries"]:
        if entry["request"]["method"] == "POST" and entry["request"]["url"].endswith(("/check", "/save")):
            carried += 1
            del entry["request"]["postData"]
    assert carried == 2, "the test must have seen the key on its way"
    return json.dumps(log).encode()


def test_the_key_stays_nowhere_in_the_browser(
    chromium: Browser, customer: Customer, given: Given, theirs: TheirOpenAI, tmp_path: Path
) -> None:
    """Profile on disk (storage, history, caches, session to restore), HAR archive, addresses."""
    key, har = theirs.key()[1], tmp_path / "all.har"
    with recorded(chromium, tmp_path / "profile", har) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url + json.dumps(request.headers)))
        page.goto(customer.address(given))
        expect(page.locator("#pasted")).to_be_visible()
        page.locator("#pasted").focus()
        page.keyboard.insert_text(key)
        page.locator("#check").click()
        expect(page.locator("#save")).to_have_attribute("aria-disabled", "false")
        page.locator("#save").click()
        expect(page.locator("dl")).to_be_visible()
        stored = (
            "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, location.href, document.cookie])"
        )
        assert page.evaluate(stored) == json.dumps([{}, {}, None, f"{customer.served.url}/#en", ""]).replace(", ", ",")
        assert not context.storage_state().get("origins")

    files = [file for file in (tmp_path / "profile").rglob("*") if file.is_file()]
    assert len(files) > 10, "a profile was written"
    everywhere = b"\0".join([*(file.read_bytes() for file in files), _without_our_bodies(har), "".join(asked).encode()])
    for form in _forms(key):
        assert form not in everywhere
