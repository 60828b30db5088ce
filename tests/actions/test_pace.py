"""Turns within the budget of Admin API calls, by a clock that the test holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.actions.pace import ROTATION_SECONDS, WINDOW_SECONDS, Budget, Pace, slowest, spoken, told


class Clock:
    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "waiting for nothing would spin"
        self.time += seconds


def paced(clock: Clock, per_minute: int, started: tuple[float, ...] = ()) -> Pace:
    return Pace(Budget(per_minute), started, now=clock.now, sleep=clock.sleep)


@given(per_minute=st.integers(1, 20), pauses=st.lists(st.floats(0, 90), min_size=1, max_size=80))
def test_no_minute_ever_holds_more_starts_than_the_budget(per_minute: int, pauses: list[float]) -> None:
    clock = Clock()
    pace, starts = paced(clock, per_minute), list[float]()
    for pause in pauses:
        clock.time += pause
        starts.append(pace.take())
    for first in starts:
        inside = [moment for moment in starts if first <= moment < first + 60]
        assert len(inside) <= per_minute, f"{len(inside)} starts within a minute of {first}"


@given(count=st.integers(1, 3000), per_minute=st.integers(1, 10))
def test_the_time_said_first_is_the_time_it_takes(count: int, per_minute: int) -> None:
    clock = Clock()
    pace, began = paced(clock, per_minute), clock.time
    for _ in range(count):
        pace.take()
    assert clock.time - began + ROTATION_SECONDS == pytest.approx(Budget(per_minute).seconds_for(count))


def test_starts_of_an_earlier_run_still_weigh_on_the_minute() -> None:
    clock = Clock()
    pace = paced(clock, 2, (clock.time - 10, clock.time - 5))
    assert pace.in_window() == 2
    assert pace.delay() == pytest.approx(WINDOW_SECONDS - 10), "the oldest of the two must leave the window first"
    assert paced(clock, 2, (clock.time - 100, clock.time - 90)).delay() == 0, "what is over no longer weighs"


@given(others=st.integers(0, 12), per_minute=st.integers(1, 10))
def test_what_others_use_of_the_minute_is_left_to_them_and_one_turn_is_kept(others: int, per_minute: int) -> None:
    clock = Clock()
    pace, starts = paced(clock, per_minute), list[float]()
    pace.others = others
    for _ in range(30):
        starts.append(pace.take())
    most = max(sum(first <= moment < first + 60 for moment in starts) for first in starts)
    assert most == max(per_minute - others, 1)


def test_a_clock_that_was_set_back_holds_nobody_up_for_longer_than_a_window() -> None:
    clock = Clock()
    pace = paced(clock, 1, (clock.time + 86_400,))
    assert pace.delay() == WINDOW_SECONDS


@pytest.mark.parametrize(("seconds", "words"), [(0, "1 s"), (20, "20 s"), (300, "5 min"), (17_405, "4 h 50 min")])
def test_a_time_is_said_as_people_plan_with_it(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


def test_two_thousand_tenants_take_most_of_six_hours() -> None:
    assert spoken(Budget().seconds_for(2000)) == "5 h 39 min", "the operator is told this number"


def test_two_thousand_are_told_with_the_time_and_its_reason() -> None:
    said = told(2_000, 2_000, slowest([""] * 2_000, Budget()), Budget())
    assert said.startswith(
        "2,000 of 2,000 tenants to rotate: takes about 5 h 39 min. Limit: OpenAI's Admin API, about 7"
    )
    assert said.endswith("6 rotations a minute.")
    both = slowest(["org-a"] * 1_000 + ["org-b"] * 1_000, Budget())
    assert both == Budget().seconds_for(1_000), "organizations rotate at the same time"
    assert slowest([], Budget()) == 0
