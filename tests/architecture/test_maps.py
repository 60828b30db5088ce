"""A folder's map, in the docstring of its `__init__`, names each module of the folder and no other.

A map is lines of a name, at least two spaces, and what is there. A name with a slash is a folder's.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.test_import_direction import ABOVE_ALL, PLACES, REPOSITORY

LINE = re.compile(r"^ *(\w+/?) {2,}\S")
MANY = 5
"""A folder with more modules than that needs a map."""


def packages() -> list[Path]:
    tops = sorted({name.split(".")[0] for name in (*PLACES, *ABOVE_ALL)} - {"tests", "program"})
    return [file.parent for top in tops for file in sorted((REPOSITORY / top).rglob("__init__.py"))]


def mapped(folder: Path) -> list[str]:
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return [found[1] for line in text.splitlines() if (found := LINE.match(line))]


def modules(folder: Path) -> set[str]:
    """Without those that Python itself finds by name."""
    return {file.stem for file in folder.glob("*.py")} - {"__init__", "__main__"}


def faults(folder: Path) -> list[str]:
    names = mapped(folder)
    there = modules(folder) | {"__main__"}
    gone = [name for name in names if name not in there and not (folder / name).is_dir()]
    twice = sorted({name for name in names if names.count(name) > 1})
    left_out = sorted(modules(folder) - {*names}) if names or len(modules(folder)) > MANY else []
    return [
        *(f"names {name}, which is not there" for name in gone),
        *(f"names {name} twice" for name in twice),
        *(f"leaves out {name}" for name in left_out),
    ]


@pytest.mark.parametrize("folder", packages(), ids=lambda folder: str(folder.relative_to(REPOSITORY)))
def test_a_map_names_each_module_and_no_other(folder: Path) -> None:
    assert not faults(folder), f"the docstring of {folder.relative_to(REPOSITORY)}/__init__.py: {faults(folder)}"


def test_the_search_finds_a_missing_a_gone_and_a_doubled_module(tmp_path: Path) -> None:
    for name in ("one", "two", "__main__"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "__init__.py").write_text('"""It.\n\none  a\none  a\nthree  b\nbelow/  c\n"""\n', encoding="utf-8")
    assert faults(tmp_path) == ["names three, which is not there", "names one twice", "leaves out two"]
    (tmp_path / "__init__.py").write_text('"""It."""\n', encoding="utf-8")
    assert not faults(tmp_path), "two modules need no map"
    for number in range(MANY):
        (tmp_path / f"more{number}.py").touch()
    assert len(faults(tmp_path)) == MANY + 2, "this many do"


def test_every_folder_was_looked_at() -> None:
    assert len(packages()) > 25
    assert sum(bool(mapped(folder)) for folder in packages()) > 20
