"""The fixture fails a test that leaves something behind, for each kind of thing, and names it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.leftovers.sight import REPOSITORY, Tree, detached

_CONFTEST = """
import os
import pathlib
import subprocess
from tests.leftovers import plugin, sight
from tests.leftovers.plugin import nothing_left_by_the_module, nothing_left_by_the_run, nothing_left_by_the_test

plugin.GRACE = 0.2
sight.Tree.__init__.__defaults__ = ({root!r},)

def pytest_sessionfinish(session):
    for key, name in sight.detached(pathlib.Path(session.config.option.basetemp)).items():
        os.kill(int(key[1]), 9)
    for one in {{held for item in session.items for held in item.module.HELD if isinstance(held, subprocess.Popen)}}:
        one.kill()
        one.wait()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The fixture's report at the end of each test of `leaks`, from a separate run."""
    root = tmp_path_factory.mktemp("leaking")
    (root / "conftest.py").write_text(_CONFTEST.format(root=str(root)), encoding="utf-8")
    (root / "pytest.ini").write_text(f"[pytest]\npythonpath = {REPOSITORY}\n", encoding="utf-8")
    shutil.copy(Path(__file__).with_name("leaks.py"), root / "test_leaks.py")
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--junitxml=report.xml",
            f"--basetemp={tmp_path_factory.mktemp('inner')}",
        ],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said.returncode == 1, said.stdout + said.stderr
    cases = ElementTree.parse(root / "report.xml").iter("testcase")
    found: dict[str, str] = {}
    for case in cases:
        assert case.find("failure") is None, f"a test that leaks should itself pass: {case.get('name')}"
        errors = [error.text or "" for error in case.iter("error")]
        found[str(case.get("name"))] = found.get(str(case.get("name")), "") + "".join(errors)
    return found


@pytest.mark.parametrize(
    ("test", "named"),
    [
        ("test_future", "ValueError('nobody asks')"),
        ("test_dropped_future", "ValueError('gone at once')"),
        ("test_pending_task", "Task pending"),
        ("test_event_loop", "event loop "),
        ("test_thread", "thread the forgotten"),
        ("test_process", "import time; time.sleep(60)"),
        ("test_socket", "(socket:["),
        ("test_temporary_file", "forgotten-"),
        ("test_file_in_the_tree", "forgotten.txt"),
        ("test_environment", "environment variable FORGOTTEN changed"),
        ("test_working_directory", "working directory was "),
        ("test_signal_handler", "handler of signal 10 was "),
        ("test_umask", "umask was '0022', is '0027'"),
        ("test_search_path", "'/forgotten'"),
        ("test_log_level", "logger asyncio was (0, False, True), is (10, False, True)"),
        ("test_log_handler", "root logger was "),
    ],
)
def test_what_a_test_leaves_fails_that_test_and_is_named(told: dict[str, str], test: str, named: str) -> None:
    assert "left behind:" in told[test]
    assert named in told[test]


def test_the_environments_values_are_not_shown(told: dict[str, str]) -> None:
    assert "a value that is not shown" not in told["test_environment"]


def test_a_test_that_gives_everything_back_is_not_blamed(told: dict[str, str]) -> None:
    assert told["test_clean"] == ""


def test_what_a_shared_fixture_may_hold_is_judged_with_it_and_the_test_that_opened_it_is_named(
    told: dict[str, str],
) -> None:
    assert told["test_a_modules_fixture_may_hold_it_for_a_while"] == ""
    at_the_end = told["test_last_of_the_module"]
    assert "there since test_leaks.py::test_a_modules_fixture_may_hold_it_for_a_while" in at_the_end
    assert "there since test_leaks.py::test_last_of_the_module" not in at_the_end


def test_a_process_that_was_left_to_init_is_found_by_its_folder(told: dict[str, str]) -> None:
    assert "/test_detached_process0)" in told["test_last_of_the_module"]


def test_a_process_counts_as_part_of_the_one_that_started_it_until_that_one_ends(tmp_path: Path) -> None:
    """A shared cell starts a function on its schedule during somebody else's test."""
    child = "import sys, time; print('up', flush=True); time.sleep(60)"
    cell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}, sys.argv[1]])"
    with subprocess.Popen([sys.executable, "-c", cell, str(tmp_path)], stdout=subprocess.PIPE) as running:
        assert running.stdout
        running.stdout.readline()
        seen = detached(tmp_path)
        running.kill()
        running.wait()
        orphans = detached(tmp_path)
        for _, pid, _ in orphans:
            os.kill(int(pid), signal.SIGKILL)
    assert [pid for _, pid, _ in seen] == [str(running.pid)]
    assert [command for _, _, command in orphans] == [f"{sys.executable} -c {child} {tmp_path}"]


def test_files_of_tools_and_files_that_were_there_are_not_new(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "old.txt").write_text("", encoding="utf-8")
    tree = Tree(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / ".editor.swp").write_text("", encoding="utf-8")
    (tmp_path / "folder" / "new.txt").write_text("", encoding="utf-8")
    assert [name for _, name in tree.files()] == [f"file {tmp_path}/folder/new.txt"]
