"""Two cells of the kill table, one each way; `make kill-table` strikes the switch at all its calls."""

from __future__ import annotations

from typing import Final

import pytest

from tests.credential.conftest import Switching
from tests.kills.cells import Operation, cell, deployed
from tests.kills.switching import SWITCHES

pytestmark = [pytest.mark.engine, pytest.mark.cell]

BY_NAME: Final = {operation.name: operation for operation in SWITCHES}
CANCELLED: Final = 2 * 10 + 1
"""After call 10: AWS has turned the rotation off, and the key lives."""
RESTORED: Final = 2 * 3 + 1
"""After call 3: the secret is out of its deletion window, with a dead key."""


def test_killed_at_its_own_calls_the_command_goes_on_and_no_call_of_the_runtime_fails(here: Switching) -> None:
    deployed(here, ["ria"])
    for name, moment in (("to-tokens-own", CANCELLED), ("to-key-own", RESTORED)):
        operation: Operation = BY_NAME[name]
        found = cell(here, operation, "ria", "command", moment)
        assert found.wrong == (), name
        assert found.text == "ok", "there was somebody to kill, and the first try went on"
