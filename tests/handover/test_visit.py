"""One visit without HTTP: who gets the key, when it ends, and what becomes of key and clipboard then."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.handover_page import clipboard
from ops.handover_page.clipboard import Clipboard
from ops.handover_page.held import HeldKey
from ops.handover_page.visit import CLIPBOARD_SECONDS, RETURN_SECONDS, SECONDS, Refused, Shown, Visit
from tests.handover.machine import PROGRAMS, Machine

KEY = "sk-" + "proj-" + "aB3" * 20
SHOWN = Shown("acme", "Acme", "prod-eu1", "cinnox", ("Edit", "Save"))


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def visit_of(clock: Clock, board: Clipboard | None = None, saved: Callable[[str], list[str]] | None = None) -> Visit:
    return Visit(
        SHOWN,
        HeldKey(KEY),
        board or Clipboard(None),
        saved=saved or (lambda _: ["done"]),
        told=lambda _: None,
        now=clock,
    )


@pytest.fixture
def visit(clock: Clock) -> Visit:
    return visit_of(clock)


# --- the key in memory -----------------------------------------------------------------------------------------------


def test_a_held_key_is_shown_by_nothing_and_is_overwritten() -> None:
    held = HeldKey(KEY)
    memory = held._bytes
    for shown in (repr(held), str(held), f"{held}", str(vars(Clipboard(None)))):
        assert KEY not in shown
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(held)
    assert held.reveal() == KEY

    held.drop()

    assert (held.reveal(), memory) == ("", bytearray())
    assert held.is_in(f"{KEY}\n".encode()), "the clipboard is still looked at"
    assert not held.is_in(KEY[:-1].encode())


# --- who gets it -----------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as error:
        call()
    return error.value.error


def test_a_link_opens_once_and_a_page_that_was_left_comes_back_by_its_own_token(visit: Visit) -> None:
    link = visit.token
    first = visit.open(link)
    assert visit.key(first["tab"]) == {"key": KEY}
    assert refused(lambda: visit.open(link)) == "used"
    assert refused(lambda: visit.open(first["again"])) == "open_elsewhere"

    visit.left(first["tab"])

    assert refused(lambda: visit.key(first["tab"])) == "other_tab"
    assert refused(lambda: visit.open(link)) == "used"
    second = visit.open(first["again"])
    assert visit.key(second["tab"]) == {"key": KEY}
    assert refused(lambda: visit.key(first["tab"])) == "other_tab"


def test_a_page_that_is_reloaded_faster_than_it_says_that_it_was_left_is_no_alarm(clock: Clock) -> None:
    told: list[str] = []
    visit = Visit(SHOWN, HeldKey(KEY), Clipboard(None), saved=lambda _: [], told=told.append, now=clock)
    first = visit.open(visit.token)
    assert refused(lambda: visit.open(first["again"])) == "open_elsewhere"
    visit.left(first["tab"])
    assert visit.open(first["again"])["tab"]
    assert told == []


def test_a_second_tab_that_goes_on_asking_is_told_to_the_terminal_once(clock: Clock) -> None:
    told: list[str] = []
    visit = Visit(SHOWN, HeldKey(KEY), Clipboard(None), saved=lambda _: [], told=told.append, now=clock)
    again = visit.open(visit.token)["again"]
    for _ in range(5):
        assert refused(lambda: visit.open(again)) == "open_elsewhere"
    assert len(told) == 1


def test_two_openings_at_once_give_one_page(visit: Visit) -> None:
    link, opened, told = visit.token, list[str](), list[str]()

    def open_it() -> None:
        try:
            opened.append(visit.open(link)["tab"])
        except Refused as error:
            told.append(error.error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(opened), told) == (1, ["used"] * 7)


# --- when it ends ----------------------------------------------------------------------------------------------------


def ends(clock: Clock, visit: Visit, seconds: float) -> str | None:
    clock.now += seconds
    visit.look()
    return visit.end


def test_it_ends_after_ten_minutes_whoever_looks_at_it(clock: Clock, visit: Visit) -> None:
    tab = visit.open(visit.token)["tab"]
    assert visit.wait_seconds() == SECONDS
    assert ends(clock, visit, SECONDS - 1) is None
    assert ends(clock, visit, 1) == "too_long"
    assert refused(lambda: visit.key(tab)) == "over"
    assert visit._key.reveal() == ""


def test_a_page_that_was_closed_ends_it_and_one_that_came_back_does_not(clock: Clock, visit: Visit) -> None:
    told = visit.open(visit.token)
    visit.left(told["tab"])
    assert visit.wait_seconds() == RETURN_SECONDS
    assert ends(clock, visit, RETURN_SECONDS - 1) is None
    told = visit.open(told["again"])
    assert ends(clock, visit, RETURN_SECONDS) is None
    visit.left(told["tab"])
    assert ends(clock, visit, RETURN_SECONDS) == "closed"


def test_a_link_that_nobody_opens_ends_too(clock: Clock, visit: Visit) -> None:
    assert ends(clock, visit, SECONDS) == "too_long"


@pytest.mark.parametrize("way", ["saved", "later", "stopped"])
def test_the_first_end_counts_and_drops_the_key(visit: Visit, way: str) -> None:
    tab = visit.open(visit.token)["tab"]
    {"saved": lambda: visit.saved(tab, "worked"), "later": lambda: visit.later(tab), "stopped": visit.stop}[way]()
    visit.stop()
    assert visit.end == way
    assert visit._key.reveal() == ""


def test_a_confirmation_that_was_asked_twice_is_done_once_and_answered_twice(clock: Clock) -> None:
    done: list[str] = []
    visit = visit_of(clock, saved=lambda test: [done.append(test) or "recorded"])
    tab = visit.open(visit.token)["tab"]
    assert visit.saved(tab, "worked") == visit.saved(tab, "not_tried") == {"result": ["recorded"]}
    assert done == ["worked"]
    assert refused(lambda: visit.saved("0" * 64, "worked")) == "other_tab"


def test_a_record_that_fails_leaves_the_visit_open(clock: Clock) -> None:
    def fails(_: str) -> list[str]:
        raise OperationError("AWS refuses.")

    visit = visit_of(clock, saved=fails)
    tab = visit.open(visit.token)["tab"]
    with pytest.raises(Refused) as error:
        visit.saved(tab, "worked")
    assert (error.value.error, error.value.text, visit.end) == ("not_recorded", "AWS refuses.", None)
    assert visit.key(tab) == {"key": KEY}


# --- the system's clipboard ------------------------------------------------------------------------------------------


@pytest.fixture(params=PROGRAMS)
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Machine:
    return Machine(tmp_path, request.param)


def test_the_copy_is_proven_and_cleared_by_the_machines_own_program(machine: Machine, clock: Clock) -> None:
    visit = visit_of(clock, clipboard.find(machine.environment))
    tab = visit.open(visit.token)["tab"]
    machine["clipboard"], machine["primary"] = KEY, KEY
    assert visit.copied(tab) == {"proven": True}

    assert visit.clear(tab) == {"clipboard": "cleared"}

    assert (machine["clipboard"], machine["primary"]) == ("", ""), "what was selected is a clipboard too"
    assert KEY not in machine.argv()


def test_what_else_the_clipboard_holds_is_left_alone(machine: Machine, clock: Clock) -> None:
    visit = visit_of(clock, clipboard.find(machine.environment))
    tab = visit.open(visit.token)["tab"]
    machine["clipboard"] = "a telephone number"
    assert visit.copied(tab) == {"proven": False}
    assert visit.clear(tab) == {"clipboard": "other"}
    assert machine["clipboard"] == "a telephone number"


def test_a_frozen_page_is_not_waited_for(machine: Machine, clock: Clock) -> None:
    """Browsers stop the timers of pages in the background."""
    visit = visit_of(clock, clipboard.find(machine.environment))
    visit.copied(visit.open(visit.token)["tab"])
    machine["clipboard"] = KEY
    late = visit.wait_seconds()
    assert CLIPBOARD_SECONDS < late < 2 * CLIPBOARD_SECONDS
    assert ends(clock, visit, late - 1) is None
    assert machine["clipboard"] == KEY
    assert ends(clock, visit, 1) is None
    assert (machine["clipboard"], visit.clipboard_outcome) == ("", "cleared")


@pytest.mark.parametrize("way", ["saved", "later", "stopped"])
def test_the_end_clears_it_at_once(machine: Machine, clock: Clock, way: str) -> None:
    visit = visit_of(clock, clipboard.find(machine.environment))
    tab = visit.open(visit.token)["tab"]
    visit.copied(tab)
    machine["clipboard"] = KEY
    {"saved": lambda: visit.saved(tab, "worked"), "later": lambda: visit.later(tab), "stopped": visit.stop}[way]()
    assert (machine["clipboard"], visit.clipboard_outcome) == ("", "cleared")


@pytest.mark.parametrize("environment", [{}, {"PATH": "/nowhere", "DISPLAY": ":0"}])
def test_without_a_program_or_a_display_nobody_could_look(clock: Clock, environment: dict[str, str]) -> None:
    visit = visit_of(clock, clipboard.find(environment))
    tab = visit.open(visit.token)["tab"]
    assert visit.copied(tab) == {"proven": None}
    assert visit.clear(tab) == {"clipboard": "no_tool"}


def test_a_program_whose_display_is_gone_proves_nothing(machine: Machine, clock: Clock) -> None:
    for name in {machine.program, machine.holder}:
        (machine.folder / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    visit = visit_of(clock, clipboard.find(machine.environment))
    tab = visit.open(visit.token)["tab"]
    assert visit.copied(tab) == {"proven": None}
    assert visit.clear(tab) == {"clipboard": "no_tool"}


def test_what_the_page_cleared_by_itself_is_known_at_the_end(clock: Clock, visit: Visit) -> None:
    tab = visit.open(visit.token)["tab"]
    visit.copied(tab)
    visit.cleared(tab)
    visit.later(tab)
    assert visit.clipboard_outcome == "cleared"
