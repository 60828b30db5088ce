"""What the table says of a fleet of which little changed, and of a worker's memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import unchanged, worker_memory
from bench.command import Ran
from bench.unchanged import BY_MARK


def ran(seconds: float, cpu: float, **outcomes: int) -> Ran:
    names = [name for name, number in outcomes.items() for _ in range(number)]
    stacks = {f"stack-{one}": {"outcome": BY_MARK if name == "held" else name} for one, name in enumerate(names)}
    return Ran(seconds, cpu, 1.0, {"stacks": stacks})


DEPLOYED = ran(60.0, 70.0, succeeded=20)
UNCHANGED = ran(40.0, 30.0, succeeded=1, held=2_000)
AMONG = ran(60.0, 50.0, succeeded=11, held=1_990)
ALONE = ran(18.0, 20.0, succeeded=10)


def test_the_goals_are_for_the_unchanged_fleet_and_for_what_the_changed_ones_add() -> None:
    told = unchanged.figures(2_000, 10, DEPLOYED, UNCHANGED, AMONG, ALONE)
    assert [figure.met for figure in told] == [True, None, None, True]
    assert told[0].peer == "the engine for each: 100 min, reckoned from 20 new ones"
    assert "1,980 by API and copies" in told[0].note, "the table says which states no engine made"
    assert told[3].value == 1.0
    late = unchanged.figures(2_000, 10, DEPLOYED, replace(UNCHANGED, seconds=61.0), replace(AMONG, cpu=60.0), ALONE)
    assert [figure.met for figure in late] == [False, None, None, False]


def test_a_run_of_other_stacks_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="1 stacks were to be run"):
        unchanged.figures(2_000, 10, DEPLOYED, ran(40.0, 30.0, succeeded=2_001), AMONG, ALONE)


def test_a_workers_memory_is_flat_or_the_goal_is_missed() -> None:
    flat = worker_memory.figures([100.0] * 10 + [150.0] * 90)
    assert (flat[1].value, flat[1].met) == (1.0, True), "what is loaded late is not growth"
    grown = worker_memory.figures([150.0 + number for number in range(100)])
    assert grown[1].met is False
