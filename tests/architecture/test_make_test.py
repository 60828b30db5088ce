"""`make test` runs everything; with PYTEST it runs what was asked for, and nothing that this does not need."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.workers import LONGEST, place, workers

ROOT = Path(__file__).resolve().parents[2]


def commands(*arguments: str) -> str:
    """What `make test` would run. A `make` that runs this test tells its own flags to every `make` below it."""
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(
        ["make", "--dry-run", "test", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=True
    ).stdout


def test_without_arguments_it_checks_finds_engine_and_browser_and_runs_every_test() -> None:
    told = commands()
    found = ("-m tools.engine", "-m tools.browser")
    for part in ("tools.key_guard", "ruff check", "pyright", "docs.generate --check", *found):
        assert part in told
    assert "tests/architecture" not in told, "they are among the tests: once is enough"
    assert told.rstrip().splitlines()[-1].endswith("--no-loadscope-reorder"), "no selection follows"


def test_with_a_folder_it_runs_that_folders_tests_alone() -> None:
    told = commands("PYTEST=tests/tenancy -k overlap")
    assert told.rstrip().splitlines()[-1].endswith(" tests/tenancy -k overlap")
    for part in ("ruff", "pyright", "docs.generate", "tools.engine", "tools.browser", "tests/architecture"):
        assert part not in told, "a person who runs one folder does not wait for this"


@pytest.mark.parametrize(
    ("off", "marks", "brought"),
    [
        (("ENGINE=none",), "not engine", ["browser"]),
        (("BROWSER=none",), "not browser", ["engine"]),
        (("ENGINE=none", "BROWSER=none"), "not engine and not browser", []),
        # The variable of Python's webbrowser and of desktops, which a person may have exported.
        (("BROWSER=firefox",), None, ["engine", "browser"]),
    ],
)
def test_without_engine_or_browser_it_says_which_tests_are_left_out(
    off: tuple[str, ...], marks: str | None, brought: list[str]
) -> None:
    whole, folder = commands(*off), commands(*off, "PYTEST=tests/cell")
    for told in (whole, folder):
        assert (f'-m "{marks}"' in told) if marks else ('-m "not' not in told)
        for name in off:
            assert (f"{name}: the tests that" in told) is name.endswith("=none")
    assert [name for name in ("engine", "browser") if f"-m tools.{name}" in whole] == brought
    assert "-m tools" not in folder


@pytest.mark.parametrize(
    ("arguments", "processes"),
    [
        (["tests"], 8),
        (["."], 8),
        (["tests/tenancy"], 0),
        (["tests/tenancy/test_slots.py::test_any", "tests/tenancy/"], 0),
        (["tests/tenancy", "tests/cli"], 2),
        ([str(ROOT / "tests" / "tenancy"), "tests/cli", "tests/cell"], 3),
        ([f"tests/{folder}" for folder in "abcdefghij"], 8),
    ],
)
def test_processes_are_never_more_than_folders(arguments: list[str], processes: int) -> None:
    assert workers(arguments, ROOT, cores=4) == processes


def test_the_longest_folders_begin_first_and_each_is_there() -> None:
    there = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    assert set(LONGEST) <= there
    assert tuple(sorted(there, key=place))[: len(LONGEST)] == LONGEST
