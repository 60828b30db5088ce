"""Samples, memory and the processes that count."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.machine import cpu
from bench.measure import PeakMemory, descendants, seconds, spread

BALLAST = "x = b'x' * (64 * 2**20); import time; time.sleep(1.5)"


def test_the_median_counts_and_the_ends_are_kept() -> None:
    found = spread([3.0, 1.0, 20.0])
    assert (found.median, found.least, found.most, found.samples) == (3.0, 1.0, 20.0, 3)


def test_no_samples_are_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_seconds_are_those_of_the_act() -> None:
    assert seconds(lambda: None) < 5


def test_children_and_their_children_count_and_strangers_do_not() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1, 21: 20}
    assert descendants(10, parents) == {11, 12}
    assert descendants(12, parents) == set()


def test_memory_of_what_was_started_inside_is_seen() -> None:
    if not Path("/proc/self/statm").exists():
        assert PeakMemory(Path("/proc")).mebibytes is None, "without /proc there is no figure"
        return
    with PeakMemory() as memory:
        subprocess.run([sys.executable, "-c", BALLAST], check=True)
    assert memory.mebibytes is not None
    assert 64 < memory.mebibytes < 200, "64 MiB of ballast and an interpreter, and nothing of this process"


def test_memory_of_what_ran_before_is_left_out(tmp_path: Path) -> None:
    if not Path("/proc/self/statm").exists():
        assert PeakMemory(tmp_path).mebibytes is None
        return
    with subprocess.Popen([sys.executable, "-c", BALLAST]) as earlier, PeakMemory() as memory:
        earlier.wait()
    assert memory.mebibytes is None, "a cell's servers are no part of what an operation needs"


def test_without_proc_memory_is_unknown(tmp_path: Path) -> None:
    with PeakMemory(tmp_path / "absent", own=os.getpid()) as memory:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.15)"], check=True)
    assert memory.mebibytes is None, "never a guess"


def test_the_processor_is_named_where_linux_names_it() -> None:
    assert cpu("processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n") == "Some CPU @ 2.0GHz"
    assert cpu("Processor : ARMv8\n") is None
