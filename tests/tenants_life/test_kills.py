"""A handful of the kill table's cells; `make kill-table` strikes all of them."""

from __future__ import annotations

import pytest

from tests.kills.cells import OPERATIONS, cell, strike
from tests.kills.processes import Victim
from tests.tenants_life.conftest import Life


@pytest.mark.engine
@pytest.mark.cell
@pytest.mark.parametrize(
    ("operation", "victim", "moment"),
    [("up", "all", 13), ("offboard", "command", 17), ("move", "engine", 8)],
)
def test_after_a_kill_the_same_command_ends_well_and_nothing_is_left(
    life: Life, operation: str, victim: Victim, moment: int
) -> None:
    wanted = next(one for one in OPERATIONS if one.name == operation)
    slug = f"{operation}-{victim}-{moment}"
    wanted.begin(life, [slug])
    found = cell(life, wanted, slug, victim, moment)
    assert found.wrong == ()
    assert found.text != "-", "there was somebody to kill"


@pytest.mark.engine
@pytest.mark.cell
def test_a_rotation_that_aws_has_begun_is_not_asked_for_again(life: Life) -> None:
    """The engine dies before it has heard that AWS rotates, and the first key is live when the command runs again."""
    slug, (up, *_) = "asked-once", OPERATIONS
    up.begin(life, [slug])
    struck, _ = strike(
        life, up.arguments(slug), "all", lambda target, _path: target.endswith(".RotateSecret"), early=False
    )
    assert struck.killed
    life.settled(slug)
    first = life.live_keys(slug)
    assert life.told(*up.arguments(slug))["stacks"][f"{slug}.local"]["outcome"] == "succeeded"
    life.settled(slug)
    assert life.live_keys(slug) == first
    assert len(first) == 1
    assert "same" in life.told("up", slug, "--no-marks")["stacks"][f"{slug}.local"]["changes"]
