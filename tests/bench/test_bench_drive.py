"""What the table says of a fleet that was driven through its life, and what is no figure."""

from __future__ import annotations

import pytest

from bench import drive
from bench.command import Ran
from bench.unchanged import BY_MARK


def up(seconds: float, **outcomes: int) -> Ran:
    names = [name for name, number in outcomes.items() for _ in range(number)]
    stacks = {f"stack-{one}": {"outcome": BY_MARK if name == "held" else name} for one, name in enumerate(names)}
    return Ran(seconds, seconds / 2, 1.5, {"stacks": stacks})


def rotated(*outcomes: str) -> Ran:
    tenants = {f"tenant-{one}": {"outcome": outcome} for one, outcome in enumerate(outcomes)}
    return Ran(20.0, 1.0, 1.5, {"cells": {"local": {"tenants": tenants}}})


UP, UNCHANGED, MOVED = up(30.0, succeeded=4), up(2.0, succeeded=2, held=2), Ran(8.0, 6.0, 1.5, {"one": {}, "two": {}})
ROTATED = rotated("succeeded", "succeeded")


def test_every_step_has_its_time_its_processor_time_and_the_load_of_the_machine() -> None:
    told = drive.figures(UP, 3.0, ROTATED, UNCHANGED, MOVED)
    assert [figure.value for figure in told] == [30.0, 20.0, 2.0, 8.0]
    assert all("load 1.5 at its end" in figure.note for figure in told)
    assert "15 s of CPU" in told[0].note
    assert told[3].name == "2 tenants moved to a second cell"


@pytest.mark.parametrize(
    ("deployed", "turned", "same", "why"),
    [
        (up(30.0, succeeded=3, failed=1), ROTATED, UNCHANGED, "4 stacks were to be deployed"),
        (UP, rotated("succeeded", "failed"), UNCHANGED, "2 tenants were to be rotated"),
        (UP, rotated("succeeded"), UNCHANGED, "2 tenants were to be rotated"),
        (UP, ROTATED, up(9.0, succeeded=3, held=1), "nothing but the platforms"),
    ],
)
def test_a_step_that_did_something_else_is_no_figure(deployed: Ran, turned: Ran, same: Ran, why: str) -> None:
    with pytest.raises(RuntimeError, match=why):
        drive.figures(deployed, 3.0, turned, same, MOVED)
