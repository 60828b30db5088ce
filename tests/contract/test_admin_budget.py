"""The shares of the Admin API's budget: rotations and sweeps together keep to it, and neither ever stands still."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys.admin_budget import (
    CALLS_PER_MINUTE,
    ROTATIONS_PER_MINUTE,
    WINDOW_SECONDS,
    counts_against_budget,
    sweeps_a_minute,
)
from ops.actions.pace import Budget, Pace

NOW = 1_800_000_000.0


def started_by_a_command(others: int) -> int:
    """In a minute in which `others` of the cell rotate anyway."""
    pace = Pace(Budget(), now=lambda: NOW)
    pace.others = others
    while pace.delay() == 0:
        pace.take()
    return pace.in_window()


@given(others=st.integers(0, 5))
def test_a_command_a_sweep_and_the_schedules_keep_to_one_budget_together(others: int) -> None:
    started = started_by_a_command(others)
    assert started + others + sweeps_a_minute(started + others) == CALLS_PER_MINUTE


@given(others=st.integers(0, 5000))
def test_however_many_rotate_each_has_a_turn_a_minute(others: int) -> None:
    assert started_by_a_command(others) >= 1
    assert sweeps_a_minute(others) >= 1


def test_alone_each_has_nearly_the_whole_budget() -> None:
    assert sweeps_a_minute(0) == CALLS_PER_MINUTE
    assert started_by_a_command(0) == ROTATIONS_PER_MINUTE == CALLS_PER_MINUTE - 1, "a sweep leaves no record to see"


@pytest.mark.parametrize(
    ("pending", "changed", "rotated", "expected"),
    [
        (True, 5, None, True),
        (True, 5, 86_400, True),
        (False, 5, 5, True),
        (True, WINDOW_SECONDS + 1, 86_400, False),
        (False, 5, 86_400, False),
        (False, None, None, False),
        (True, None, None, False),
    ],
    ids=[
        "the first rotation runs",
        "a rotation runs",
        "one has just ended",
        "one failed and left its label",
        "a tag was changed",
        "never rotated",
        "AWS told no time",
    ],
)
def test_a_secret_weighs_while_its_rotation_calls_and_just_after(
    pending: bool, changed: float | None, rotated: float | None, expected: bool
) -> None:
    """`changed` and `rotated` are seconds ago."""
    changed_at, rotated_at = (NOW - ago if ago is not None else None for ago in (changed, rotated))
    assert counts_against_budget(pending=pending, changed_at=changed_at, rotated_at=rotated_at, now=NOW) is expected
