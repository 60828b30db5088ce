"""A handful of the kill table's cells; `make kill-table` strikes at thirty moments of each operation."""

from __future__ import annotations

import pytest

from tests.kills.__main__ import struck
from tests.kills.cells import OPERATIONS, cell
from tests.kills.processes import Victim
from tests.tenants_life.conftest import Life


def test_every_call_of_a_short_operation_is_struck() -> None:
    assert struck(9, 30) == list(range(9))
    assert struck(60, 30) == list(range(0, 60, 2))


@pytest.mark.engine
@pytest.mark.cell
@pytest.mark.parametrize(
    ("operation", "victim", "call"),
    [("up", "all", 6), ("offboard", "command", 8), ("move", "engine", 4)],
)
def test_after_a_kill_the_same_command_ends_well_and_nothing_is_left(
    life: Life, operation: str, victim: Victim, call: int
) -> None:
    wanted = next(one for one in OPERATIONS if one.name == operation)
    found = cell(life, wanted, f"{operation}-{victim}-{call}", victim, call)
    assert found.wrong == ()
    assert found.text != "-", "there was somebody to kill"
