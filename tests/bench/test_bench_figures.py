"""From samples and rows to lines of the table: what counts as met, and what stands beside it."""

from __future__ import annotations

import pytest

from bench import add_tenant, growth
from bench.add_tenant import Samples
from bench.figures import Figure, at_most, from_rows, number

READER = [
    {"name": "warm get, myflux_keys", "value": 900.0, "unit": "ns", "goal": "", "ok": None},
    {"name": "warm get, powertools", "value": 6000.0, "unit": "ns", "goal": "", "ok": None},
    {"name": "warm get, boto3", "value": 900000.0, "unit": "ns", "goal": "", "ok": None},
    {
        "name": "warm get, share of the fastest peer (powertools)",
        "value": 0.15,
        "unit": "of its time",
        "goal": "<= 0.2",
        "ok": True,
    },
]

NO_PEER = "not there: no terraform on PATH"


def test_a_bound_is_met_up_to_and_with_its_own_value() -> None:
    assert at_most("x", 1.1, "times", 1.1).met is True, "the goal says at most"
    assert at_most("x", 1.11, "times", 1.1).met is False, "above the bound is missed, however little"


def test_what_was_not_measured_is_never_met() -> None:
    figure = at_most("x", None, "MiB", 100)
    assert figure.met is None
    assert figure.verdict == "not measured", "an empty cell could be taken for good news"


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    assert Figure("x", 3.0, "s").verdict == ""


def test_rows_of_candidates_become_one_figure_with_its_peers() -> None:
    ours, share = from_rows(READER)
    assert (ours.name, ours.value, ours.met) == ("warm get", 900.0, None)
    assert ours.peer == "powertools: 6,000 ns; boto3: 900,000 ns"
    assert share.name == "warm get, share of the fastest peer (powertools)", "what has a goal keeps a line of its own"
    assert share.met is True
    assert share.peer == ""


def test_what_stands_behind_our_name_goes_with_the_figure() -> None:
    rows = [
        {"name": "calls, myflux_keys (1,000 answered)", "value": 2, "unit": "calls", "goal": "= 1", "ok": False},
        {"name": "calls, boto3 (990 answered)", "value": 990, "unit": "calls", "goal": "", "ok": None},
    ]
    (figure,) = from_rows(rows)
    assert figure.name == "calls (1,000 answered)"
    assert figure.verdict == "MISSED", "the bench's own verdict stands"
    assert figure.peer == "boto3 (990 answered): 990 calls"


def test_a_number_as_goal_is_an_upper_bound() -> None:
    rows = [{"name": "rotation zip", "value": 51200, "unit": "bytes", "goal": 100_000, "ok": True}]
    assert from_rows(rows) == [Figure("rotation zip", 51200, "bytes", "<= 100,000", True)]


def test_no_row_is_lost() -> None:
    rows = [{"name": f"row {n}", "value": n, "unit": "calls", "goal": "", "ok": None} for n in range(4)]
    assert [figure.name for figure in from_rows(rows)] == ["row 0", "row 1", "row 2", "row 3"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0"), (0.1234, "0.123"), (3.456, "3.46"), (86.44, "86.4"), (316.4, "316"), (51200, "51,200")],
)
def test_numbers_are_shown_with_three_places_that_matter(value: float | None, text: str) -> None:
    assert number(value) == text


def test_without_the_peer_nothing_is_green_and_the_reason_is_told() -> None:
    fleet, typed = Samples([3.0, 3.2, 3.1], 316.0), Samples([4.0], 300.0)
    figures = add_tenant.figures(50, fleet, typed, None, "not there: no terraform on PATH")
    assert [figure.met for figure in figures] == [None, None, None], "with nothing to compare, nothing is met"
    assert figures[0].goal == "<= 1/4 of Terraform's"
    assert {figure.peer for figure in figures} == {"not there: no terraform on PATH"}
    assert figures[0].value == 3.1, "our own figure is still worth knowing"


def test_beside_the_peer_a_quarter_of_its_median_and_a_third_of_its_memory_are_the_goals() -> None:
    fleet, typed = Samples([3.0, 9.0, 3.1], 316.0), Samples([30.5], 300.0)
    figures = add_tenant.figures(50, fleet, typed, Samples([28.0, 30.4, 32.0], 900.0), "Terraform")
    assert [(figure.value, figure.goal, figure.met) for figure in figures] == [
        (3.1, "<= 7.6", True),
        (30.5, "<= 30.4", False),
        (316, "<= 300", False),
    ]
    assert all("stand-in" in figure.note for figure in figures), "a reader must know which provider was real"
    assert "28.00 to 32.00" in figures[0].peer


def test_memory_that_cannot_be_read_is_not_compared() -> None:
    figures = add_tenant.figures(50, Samples([3.0]), Samples([4.0]), Samples([7.0]), "Terraform")
    assert figures[2].value is None
    assert figures[2].met is None


def test_growth_compares_the_largest_with_the_smallest() -> None:
    times = {10: [3.0, 3.0, 9.0], 100: [3.1, 3.1, 3.1], 1000: [3.2, 3.2, 3.2]}
    memory = {10: [300.0, 310.0], 100: [310.0], 1000: [400.0, 310.0]}
    by_name = {figure.name: figure for figure in growth.figures(times, memory, {}, NO_PEER)}
    assert by_name["up of tenant 1,000 over tenant 10"].value == 1.07, "medians: one slow sample does not decide"
    assert by_name["up of tenant 1,000 over tenant 10"].met is True
    assert by_name["memory of tenant 1,000's up over tenant 10's"].met is False
    assert by_name["up of tenant 100"].goal == "", "the ratio carries the goal"


def test_noise_in_the_small_cells_samples_does_not_hide_growth() -> None:
    times = {10: [2.3, 2.8, 3.2], 1000: [2.7, 2.9, 3.4]}
    figure = next(f for f in growth.figures(times, {10: [], 1000: []}, {}, NO_PEER) if "over" in f.name)
    assert figure.value == 1.17, "the quickest samples are those that nothing disturbed"
    assert figure.met is False


def test_growth_without_memory_figures_says_so() -> None:
    figures = growth.figures({10: [3.0], 1000: [4.0]}, {10: [], 1000: []}, {}, NO_PEER)
    assert figures[-1].met is None, "memory was not read: that is not the same as no growth"
    assert figures[-2].met is False


def test_growth_stands_beside_the_peers_of_the_sizes_that_it_did() -> None:
    times = {10: [3.0], 100: [3.0], 1000: [3.0]}
    lines = growth.figures(times, {10: [], 1000: []}, {10: [4.0], 100: [30.0]}, "Terraform 1.11")
    by_name = {figure.name: figure.peer for figure in lines}
    assert by_name["up of tenant 100"] == "Terraform 1.11, for_each: 30 s (30.00 to 30.00 in 1 samples)"
    assert by_name["up of tenant 1,000"] == "", "it was not asked for so many"
    assert "7.5 times from 10 to 100, larger sizes not tried" in by_name["up of tenant 1,000 over tenant 10"]
    alone = growth.figures(times, {10: [], 1000: []}, {}, NO_PEER)
    assert {figure.peer for figure in alone if "up of" in figure.name and "memory" not in figure.name} == {NO_PEER}


@pytest.mark.parametrize(("size", "rounds", "before"), [(10, 7, 6), (1000, 7, 996), (3, 1, 2), (1, 7, 1)])
def test_rounds_lie_around_the_size(size: int, rounds: int, before: int) -> None:
    assert growth.first(size, rounds) == before


def test_every_size_comes_first_in_some_round() -> None:
    rounds = [growth.rotated((10, 100, 1000), turn) for turn in range(3)]
    assert [round_[0] for round_ in rounds] == [10, 100, 1000]
    assert all(sorted(round_) == [10, 100, 1000] for round_ in rounds), "no size is left out of a round"
