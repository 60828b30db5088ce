"""A link's way through the function: opened, a key checked, handed in once, and the same answer however often asked."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from functions.connect.seen import FREELY
from functions.connect.store import Store
from functions.shared.intake import MOST_CHECKS
from functions.shared.objects import Objects
from myflux_keys.payload import SecretText
from tests.connect_page.serving import Served
from tests.connect_page.world import MODELS, Browser, Given, Intake
from tests.customer_key.theirs import TheirOpenAI

UNKNOWN = "sk-" + "svcacct-" + "Zz9" * 20


def _billed(intake: Intake) -> int:
    return sum(call.path == "/v1/responses" for call in intake.cell.openai.calls())


def _together(count: int, ask: Any) -> list[tuple[int, dict[str, Any]]]:
    """What `count` threads got that asked at the same time."""
    answers: list[tuple[int, dict[str, Any]]] = []
    gate = threading.Barrier(count)

    def one() -> None:
        gate.wait()
        answers.append(ask())

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_opening_tells_what_the_page_shows_and_nothing_of_the_tenants_secret(browser: Browser, given: Given) -> None:
    status, told = browser.open()

    assert status == 200
    assert (told["name"], told["language"], told["state"]) == ("Hotel Sol", "en", "open")
    assert [one["id"] for one in told["models"]] == list(MODELS)
    assert (told["link"], told["expires"]) == (given.link.id, given.link.expires)
    assert browser.cookie == f"__Host-link={given.token}"


def test_a_link_may_be_opened_any_number_of_times(browser: Browser, given: Given) -> None:
    for _ in range(5):
        assert browser.open()[1]["state"] == "open"

    assert given.seen()["opens"] == 6


def test_a_link_opens_while_scanners_open_it_all_the_time(
    browser: Browser, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them changes the record between the page's reading and writing."""
    monkeypatch.setattr(Objects, "write", lambda *_: None)
    status, told = browser.open()
    assert (status, told["state"], told["link"]) == (200, "open", given.link.id)


def test_a_reload_opens_by_the_cookie_alone(browser: Browser, given: Given) -> None:
    assert browser.post("/session", {})[1]["link"] == given.link.id
    assert given.seen()["opens"] == 1


def test_a_checked_key_is_handed_in_encrypted_for_the_promoter_alone(
    browser: Browser, given: Given, theirs: TheirOpenAI, intake: Intake
) -> None:
    key = theirs.key()[1]
    assert browser.check(key)[1]["passed"]

    status, told = browser.save(key)

    assert (status, told["result"], told["state"], told["last_four"]) == (200, "saved", "saved", key[-4:])
    handed_in = given.handed_in()
    assert handed_in is not None
    assert (handed_in.token, handed_in.key.reveal()) == (given.token, key)
    readers = {"handed-in": intake.promoter, "seen": intake.page, "links": intake.person}
    ours = [name for name in intake.objects() if given.link.id in name]
    assert {name.split("/")[0] for name in ours} == readers.keys()
    for name in ours:
        stored = readers[name.split("/")[0]].s3.get_object(Bucket=intake.bucket, Key=name)["Body"].read()
        assert key.encode() not in stored


def test_what_was_tidied_at_the_check_is_tidied_at_save(browser: Browser, given: Given, theirs: TheirOpenAI) -> None:
    key = theirs.key()[1]
    pasted = f'OPENAI_API_KEY="{key[:60]}\n{key[60:]}"'

    assert browser.check(pasted)[1]["cleaned"] == ["lines", "quotes", "name"]
    browser.save(pasted)

    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal() == key


def test_a_key_that_was_not_checked_is_not_saved(browser: Browser, given: Given, theirs: TheirOpenAI) -> None:
    for key in (theirs.key()[1], "no key", UNKNOWN):
        assert browser.save(key) == (409, {"error": "not_checked", "seconds": 0})
    assert given.handed_in() is None


def test_a_key_that_failed_its_latest_check_is_not_saved(
    browser: Browser, given: Given, theirs: TheirOpenAI, intake: Intake
) -> None:
    key = theirs.key()[1]
    assert browser.check(key)[1]["passed"]
    intake.cell.openai.fault("address_refused", count=None)
    assert not browser.check(key)[1]["passed"]

    assert browser.save(key)[1]["error"] == "not_checked"
    assert given.handed_in() is None


def test_saving_twice_is_saving_once(browser: Browser, theirs: TheirOpenAI, intake: Intake, given: Given) -> None:
    key = theirs.key()[1]
    browser.check(key)
    first = browser.save(key)[1]
    stored = given.version()

    again = browser.save(key)[1]

    assert again == first | {"result": "already_saved"}
    assert given.version() == stored


def test_saving_at_once_from_many_tabs_is_saving_once(browser: Browser, theirs: TheirOpenAI, given: Given) -> None:
    key = theirs.key()[1]
    browser.check(key)

    answers = _together(6, lambda: browser.save(key))

    assert {status for status, _ in answers} == {200}
    assert {told["state"] for _, told in answers} == {"saved"}
    assert given.handed_in() is not None


@pytest.mark.parametrize("ended", ["before", "after"])
def test_a_save_that_ended_in_the_middle_shows_no_receipt_and_is_finished_by_the_same_key(
    ended: str, browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function ended before or after it wrote the ciphertext, and so did the tab: a receipt now would be for a key
    that may lie nowhere, and which nobody has any more once the customer leaves."""
    key, other, write = theirs.key()[1], theirs.key()[1], Store.hand_in
    for one in (key, other):
        assert browser.check(one)[1]["passed"]

    def ends(*arguments: Any) -> bool:
        if ended == "after":
            write(*arguments)
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Store, "hand_in", ends)
        assert browser.save(key)[0] == 503

    assert browser.open()[1]["state"] == "open"
    assert browser.save(other) == (409, {"error": "another", "seconds": 0}), "the first may lie there"
    billed = _billed(intake)
    assert browser.check(key)[1]["passed"]
    assert _billed(intake) == billed
    assert browser.save(key)[1]["state"] == "saved"
    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key == SecretText(key)
    assert browser.open()[1]["state"] == "saved"


def test_a_save_that_ended_in_the_middle_is_told_once_the_promoter_took_the_key(
    browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake
) -> None:
    key = theirs.key()[1]
    browser.check(key)
    browser.save(key)
    intake.put(given.place.seen, json.dumps(given.seen() | {"written": False}))
    given.decide("promoted")
    given.end_copy()
    assert browser.open()[1]["state"] == "promoted"


def test_a_key_that_the_promoter_took_is_not_handed_in_again(
    browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake
) -> None:
    key = theirs.key()[1]
    browser.check(key)
    browser.save(key)
    given.decide("promoted")
    given.end_copy()

    assert browser.save(key)[1]["state"] == "promoted"
    assert given.handed_in() is None


def test_another_key_after_save_is_refused_without_a_call(
    browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake
) -> None:
    key, other = theirs.key()[1], theirs.key()[1]
    browser.check(key)
    browser.save(key)
    intake.cell.openai.clear_calls()

    assert browser.check(other) == (409, {"error": "another", "seconds": 0})
    assert browser.save(other) == (409, {"error": "another", "seconds": 0})
    assert browser.check(key) == (409, {"error": "saved", "seconds": 0})
    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal() == key
    assert intake.cell.openai.calls() == []


def test_of_two_tabs_with_two_keys_the_first_wins_and_the_second_is_told(
    browser: Browser, theirs: TheirOpenAI, given: Given
) -> None:
    keys = [theirs.key()[1], theirs.key()[1]]
    for key in keys:
        assert browser.check(key)[1]["passed"]
    waiting = iter(keys)

    answers = _together(2, lambda: browser.save(next(waiting)))

    assert sorted(status for status, _ in answers) == [200, 409]
    (won,) = [told["last_four"] for status, told in answers if status == 200]
    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key.reveal()[-4:] == won


@pytest.mark.parametrize(("state", "reason"), [("promoted", ""), ("waiting", ""), ("refused", "unpaid")])
def test_the_state_is_the_promoters_once_it_decided(
    browser: Browser, theirs: TheirOpenAI, given: Given, state: str, reason: str
) -> None:
    key = theirs.key()[1]
    assert browser.state()[1]["state"] == "open"
    browser.check(key)
    browser.save(key)
    assert browser.state()[1]["state"] == "saved"

    given.decide(state, reason)

    told = browser.state()[1]
    assert (told["state"], told["reason"], told["last_four"]) == (state, reason, key[-4:])
    assert browser.open()[1]["state"] == state


def test_a_key_that_the_promoter_refused_does_not_end_the_link(
    browser: Browser, theirs: TheirOpenAI, given: Given
) -> None:
    """The same key may come again once its fault is mended, or another one; what is told is about the newest."""
    key, other = theirs.key()[1], theirs.key()[1]
    for one in (key, key, other):
        assert browser.check(one)[1]["passed"]
        told = browser.save(one)[1]
        assert (told["result"], told["state"], told["last_four"]) == ("saved", "saved", one[-4:])
        assert browser.save(one)[1]["result"] == "already_saved"
        handed_in = given.handed_in()
        assert handed_in is not None
        assert handed_in.key == SecretText(one)
        given.take("unpaid")
        assert browser.state()[1]["state"] == "refused"
    assert browser.open()[1]["reason"] == "unpaid"


def test_a_refused_keys_copy_that_is_not_ended_yet_is_waited_for(
    browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake
) -> None:
    """The promoter tells its refusal first and deletes then: a key saved between the two would be deleted with it."""
    key, other = theirs.key()[1], theirs.key()[1]
    browser.check(key)
    browser.save(key)
    given.decide("refused", "unpaid")
    assert browser.check(other)[1]["passed"]
    for _ in range(2):
        assert browser.save(other) == (409, {"error": "busy", "seconds": 2})
    given.end_copy()

    assert browser.save(other)[1]["state"] == "saved"

    handed_in = given.handed_in()
    assert handed_in is not None
    assert handed_in.key == SecretText(other)


def test_the_same_key_is_billed_once_however_often_it_is_checked(
    browser: Browser, theirs: TheirOpenAI, intake: Intake
) -> None:
    key, other = theirs.key()[1], theirs.key()[1]

    for one in (key, other, key, key):
        assert browser.check(one)[1]["passed"]

    assert _billed(intake) == 2


def test_two_tabs_that_check_at_once_do_not_have_the_key_billed_twice(
    browser: Browser, theirs: TheirOpenAI, intake: Intake
) -> None:
    key = theirs.key()[1]

    answers = _together(4, lambda: browser.check(key))

    assert {status for status, _ in answers} <= {200, 409}
    assert [told for status, told in answers if status == 409 and told != {"error": "busy", "seconds": 2}] == []
    assert _billed(intake) == 1


def test_a_lost_answer_of_s3_makes_nobody_wait_for_themselves(
    browser: Browser, theirs: TheirOpenAI, intake: Intake, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK repeats a write whose answer was lost, and S3 refuses the second: the record changed since it was read.
    It was this request that changed it: no other check runs, and none is billed again."""
    key, write = theirs.key()[1], Objects.write

    def lost(objects: Objects, name: str, body: bytes, version: str | None) -> str | None:
        return write(objects, name, body, version) and write(objects, name, body, version)

    monkeypatch.setattr(Objects, "write", lost)
    opens = given.seen()["opens"]
    assert browser.open()[0] == 200
    assert given.seen()["opens"] == opens + 1

    assert browser.check(key)[1]["passed"]
    told = browser.save(key)[1]

    assert (told["state"], given.seen()["checks"], _billed(intake)) == ("saved", 1, 1)


def test_a_balance_that_was_empty_is_asked_for_again(browser: Browser, theirs: TheirOpenAI, intake: Intake) -> None:
    key = theirs.key()[1]
    intake.cell.openai.fault("balance_gone", count=1)
    assert not browser.check(key)[1]["passed"]

    assert browser.check(key)[1]["passed"]


def test_a_check_that_openai_did_not_answer_stores_nothing_of_the_key(
    browser: Browser, theirs: TheirOpenAI, given: Given, intake: Intake
) -> None:
    key = theirs.key()[1]
    intake.cell.openai.fault("500", count=None)

    told = browser.check(key)[1]

    assert not told["passed"]
    assert "bad" not in [one["state"] for one in told["checks"]]
    assert given.handed_in() is None
    assert browser.save(key)[1]["error"] == "not_checked"


def test_wrong_keys_are_slowed_and_a_link_lives_through_them(browser: Browser, given: Given, intake: Intake) -> None:
    assert {browser.check(UNKNOWN)[0] for _ in range(FREELY)} == {200}
    # Whatever the time of this machine is, the last check was just now.
    intake.put(given.place.seen, json.dumps(given.seen() | {"checked_at": int(time.time()) + 60}))

    status, told = browser.check(UNKNOWN)

    assert (status, told["error"], given.seen()["checks"]) == (429, "slow_down", FREELY)
    assert told["seconds"] > 0
    assert browser.open()[1]["state"] == "open"


def test_what_is_no_key_costs_no_check(browser: Browser, given: Given) -> None:
    for _ in range(MOST_CHECKS + 1):
        assert browser.check("org-" + "a1B2c3D4e5")[0] == 200

    assert given.seen()["checks"] == 0


def test_a_link_has_thirty_checks(browser: Browser, given: Given, intake: Intake) -> None:
    browser.check(UNKNOWN)
    intake.put(given.place.seen, json.dumps(given.seen() | {"checks": MOST_CHECKS, "checked_at": 0}))
    intake.cell.openai.clear_calls()

    assert browser.check(UNKNOWN) == (403, {"error": "too_many", "seconds": 0})
    assert intake.cell.openai.calls() == []


def test_a_check_that_never_ended_does_not_block_the_link_for_good(
    browser: Browser, given: Given, intake: Intake
) -> None:
    """The function was ended in the middle: after its longest time, the next check may begin."""
    browser.check(UNKNOWN)
    intake.put(given.place.seen, json.dumps(given.seen() | {"running_since": given.link.issued - 60}))

    assert browser.check(UNKNOWN)[0] == 200


def test_a_second_link_in_the_same_browser_does_not_take_the_first_tabs_key(
    browser: Browser, served: Served, intake: Intake, theirs: TheirOpenAI, given: Given
) -> None:
    """The cookie is the browser's: the tab says which link it shows, and the key goes nowhere if it is another."""
    key = theirs.key()[1]
    other = intake.issue()
    browser.post("/session", {"token": other.token})

    assert browser.check(key) == (409, {"error": "other_link"})
    assert browser.save(key) == (409, {"error": "other_link"})
    assert (given.handed_in(), other.handed_in()) == (None, None)
