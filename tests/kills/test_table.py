"""A kill table is struck in pieces: what is saved is taken over, and only where the code is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills import table
from tests.kills.cells import OPERATIONS, Outcome, Whole
from tests.kills.processes import VICTIMS
from tests.kills.switching import SWITCHES
from tests.kills.table import Key, Table

UP = Key("up", 7, "engine")
ALL = frozenset(VICTIMS)


def test_a_short_operation_is_struck_before_and_after_every_call() -> None:
    assert sorted(table.moments(9, 30)) == list(range(18))
    assert len(set(table.moments(16, 30))) == 30
    assert {moment % 2 for moment in table.moments(16, 30)} == {0, 1}


def test_a_table_that_is_not_finished_has_its_moments_far_apart() -> None:
    found = table.moments(8, 30)
    assert found[:4] == [0, 8, 4, 12]
    for number in range(2, 16):
        begun = sorted(found[:number])
        gaps = [after - before for before, after in zip(begun, [*begun[1:], 16], strict=True)]
        assert max(gaps) <= 2 * 16 / number


def test_a_round_has_every_operation_and_every_victim_and_all_rounds_have_every_cell_once() -> None:
    several = {"up": Whole(3, ALL), "rotate": Whole(2, frozenset({"command", "all"}))}
    found = list(table.rounds(several, 30, VICTIMS))
    assert [len(each) for each in found] == [6, 6, 6, 6, 4, 4]
    keys = [key for each in found for key in each]
    assert sorted(keys) == sorted(
        Key(name, moment, victim)
        for name, one in several.items()
        for moment in range(2 * one.calls)
        for victim in one.victims
    )
    assert {key.victim for each in table.rounds(several, 30, ["all"]) for key in each} == {"all"}
    assert not list(table.rounds({}, 30, VICTIMS))


def test_every_call_of_a_commands_own_is_struck_however_few_moments_are_wanted() -> None:
    own = Whole(20, frozenset({"command"}), own=True)
    several = {"to-key": Whole(100, ALL), "to-key-own": own}
    keys = [key for each in table.rounds(several, 30, VICTIMS) for key in each if key.operation == "to-key-own"]
    assert sorted(key.moment for key in keys) == list(range(40))
    assert "20 calls of its own." in table.markdown(Table("abc", {"to-key-own": own}), 30)


def test_no_two_cells_have_the_same_tenant() -> None:
    operations = (*OPERATIONS, *SWITCHES)
    several = {operation.name: Whole(15, ALL) for operation in operations}
    slugs = [key.slug for each in table.rounds(several, 30, VICTIMS) for key in each]
    assert len(set(slugs)) == len(slugs) == len(operations) * 30 * len(VICTIMS)


def test_a_saved_table_goes_on(tmp_path: Path) -> None:
    saved = Table(
        "this code",
        {"up": Whole(14, ALL), "to-key-own": Whole(14, frozenset({"command"}), own=True)},
        {UP: Outcome("ok, 2 tries"), Key("up", 0, "all"): Outcome("ok", ("a key",))},
    )
    table.save(tmp_path / "new" / "table.json", saved)
    assert table.read(tmp_path / "new" / "table.json", "this code") == saved


def test_cells_of_other_code_are_struck_again(tmp_path: Path) -> None:
    file = tmp_path / "table.json"
    table.save(file, Table("old code", {"up": Whole(14, ALL)}, {UP: Outcome("ok")}))
    assert table.read(file, "new code") == Table("new code")
    assert table.read(tmp_path / "none.json", "new code") == Table("new code")


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("ops/stacks/work.py", True),
        ("local/openai/models.json", True),
        ("requirements.txt", True),
        ("tests/kills/cells.py", True),
        ("tests/program/gate.py", True),
        ("tests/kills/test_table.py", False),
        ("tests/program/rig.py", False),
        ("docs/generate.py", False),
        ("ops/notes.md", False),
        (".venv/lib/one.py", False),
    ],
)
def test_code_is_what_a_command_or_the_harness_loads(place: str, counts: bool, tmp_path: Path) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "program.py").write_text("one\n", encoding="utf-8")
    file.write_text("one\n", encoding="utf-8")
    before = table.code_digest(tmp_path)
    file.write_text("two\n", encoding="utf-8")
    assert (table.code_digest(tmp_path) != before) == counts


def test_the_table_shows_what_is_red_and_what_was_not_struck_yet() -> None:
    known = Table(
        "abc",
        {"up": Whole(2, ALL)},
        {Key("up", 0, "all"): Outcome("ok"), Key("up", 1, "command"): Outcome("", ("why",))},
    )
    shown = table.markdown(known, 30)
    assert "| before call 0 | . | . | . | ok |" in shown
    assert "| after call 0 | **RED** | . | . | . |" in shown
    assert "| after call 1 | . | . | . | . |" in shown
    assert "2 cells, 1 red. Code abc." in shown
    assert "- up, after call 0, command killed: why" in shown
