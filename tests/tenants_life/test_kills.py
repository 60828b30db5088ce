"""A handful of the kill table's cells; `make kill-table` strikes all of them."""

from __future__ import annotations

import pytest

from tests.kills.cells import OPERATIONS, cell
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
