"""No cell of the crash table is red, and the table would show it if one were.

The whole table takes minutes: `make crash-table` prints and judges it. Here run the columns of `table.SMALL`; with
CRASH_TABLE=all in the environment, every column.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.crash.__main__ import markdown, reds
from tests.crash.faults import BY_NAME, Fault
from tests.crash.script import Call
from tests.crash.stage import Stage
from tests.crash.table import COLUMNS, SMALL, STARTS, Cell, Rows, Start

WITH_A_KEY = STARTS[2]


@pytest.fixture(scope="module")
def rows(stage_that: Callable[[bool], Stage]) -> Callable[[Start], Rows]:
    made: dict[Start, Rows] = {}

    def get(start: Start) -> Rows:
        if start not in made:
            made[start] = Rows(stage_that(start.first_is_current), start)
        return made[start]

    return get


@pytest.mark.parametrize(
    ("start", "fault"),
    COLUMNS if os.environ.get("CRASH_TABLE") == "all" else SMALL,
    ids=lambda value: value.name.replace(" ", "-").replace(",", ""),
)
def test_a_rotation_struck_at_any_call_is_whole_after_awss_repeats(
    rows: Callable[[Start], Rows], start: Start, fault: Fault
) -> None:
    cells = [rows(start).cell(index, fault) for index in range(len(rows(start).calls))]
    assert len(cells) >= 10, "every call of a rotation is struck"
    assert not [f"{cell.call}: {cell.text}" for cell in cells if cell.broken]
    if fault.how == "kill":
        assert all(cell.repeats == 1 for cell in cells), "a killed function is begun again, once"


def test_the_rows_are_all_calls_that_a_rotation_needs(rows: Callable[[Start], Rows]) -> None:
    calls = {call.name for start in (STARTS[0], STARTS[4]) for call in rows(start).calls}
    assert calls == {
        "AWS DescribeSecret",
        "AWS GetSecretValue",
        "AWS GetSecretValue (admin key)",
        "AWS PutSecretValue",
        "AWS UpdateSecretVersionStage",
        "OpenAI list keys",
        "OpenAI mint",
        "OpenAI try key",
        "OpenAI set expiry",
        "OpenAI delete key",
    }, "a new kind of call needs a name in script.py and joins the table"


@pytest.mark.parametrize(
    ("mistake", "struck", "fault", "told"),
    [
        ("forgets lost keys", "OpenAI mint", "killed after", "nobody holds it"),
        ("repeats the mint", "OpenAI mint", "reset after", "nobody holds it"),
        ("revokes the old key", "OpenAI try key", "reset", "dies in"),
        ("lets the old key live", "OpenAI try key", "reset", "past its overlap"),
        ("takes a lost answer for a refusal", "AWS PutSecretValue", "lost throughout", "gave up"),
    ],
)
def test_a_function_that_makes_a_known_mistake_turns_its_cell_red(
    rows: Callable[[Start], Rows], stage: Stage, mistake: str, struck: str, fault: str, told: str
) -> None:
    table = rows(WITH_A_KEY)
    index = next(number for number, call in enumerate(table.calls) if call.name == struck)
    with stage.function.mistaken(mistake):
        cell = table.cell(index, BY_NAME[fault])
    assert told in cell.text, "the mistake shows"
    assert cell.text.startswith("RED: ")


def test_a_red_cell_is_named_in_the_saved_table() -> None:
    call = Call("createSecret", "OpenAI mint")
    fault = BY_NAME["reset"]
    found = {WITH_A_KEY: [(call, [Cell(call, fault, 1, ("key_x lives for ever",)), Cell(call, fault, 1, ())])]}
    assert reds(found) == ["secret with a key | createSecret: OpenAI mint | reset | RED: key_x lives for ever"]
    saved = markdown(found, 3.0)
    assert "2 cells, 1 red" in saved
    assert "| createSecret: OpenAI mint | **RED** | ok, 1 repeat |" in saved
