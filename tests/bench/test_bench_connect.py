"""What the bench says of 500 customers at the connect page: nobody counts as well served who was not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.connect import counted, figures
from functions.shared.link import Link
from local.cell import LocalCell
from ops.actions.connect_links import Made
from tests.connect.visitor import Customer


def customer(link: str, *, saved: bool, **answers: int) -> Customer:
    made = Made("https://page/#token", Link("local", "initech", link, 1_900_000_000, 1_900_003_600, "es"))
    counts = Counter({int(status.removeprefix("s")): count for status, count in answers.items()})
    return Customer(made, "a key", saved, 1.0, counts)


def verdicts(customers: list[Customer], first: list[bool], states: dict[str, str], most: int | None) -> dict[str, str]:
    found = figures(customers, first, states, most)
    return {one.name.rpartition(": ")[2]: one.verdict for one in found if one.goal}


def test_all_that_end_saved_are_well_served() -> None:
    there = [customer("a", saved=True, s200=4), customer("b", saved=True, s200=4, s429=9)]
    found = figures(there, [True, False], {"a": "handed in", "b": "waiting"}, 10)
    assert [one.value for one in found][:3] == [1, 1, 0]
    assert {one.verdict for one in found if one.goal} == {"met"}
    assert "9 of 429" in "".join(one.note for one in found)


@pytest.mark.parametrize(
    ("saved", "state"),
    [(False, "open"), (True, "open"), (True, "expired"), (True, "refused")],
    ids=lambda one: str(one),
)
def test_a_receipt_for_a_key_that_lies_nowhere_is_a_loss(saved: bool, state: str) -> None:
    told = verdicts([customer("a", saved=saved, s200=4)], [saved], {"a": state}, 10)
    assert told["lost"] == "MISSED"


@pytest.mark.parametrize(("most", "verdict"), [(10, "met"), (11, "MISSED"), (None, "not measured")])
def test_more_executions_than_the_reserve_are_told(most: int | None, verdict: str) -> None:
    told = verdicts([customer("a", saved=True, s200=4)], [True], {"a": "handed in"}, most)
    assert told["executions of the page at once"] == verdict


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system does not list its processes there")
def test_processes_of_the_page_alone_are_counted(tmp_path: Path) -> None:
    cell: Any = SimpleNamespace(home=tmp_path)
    waits = "import sys; sys.stdin.read()"
    named = [
        str(tmp_path / "tmp" / f"ministack-lambda-{name}" / "_worker.py")
        for name in ("page-a1", "page-b2", "promoter-c3")
    ]
    running = [subprocess.Popen([sys.executable, "-c", waits, name], stdin=subprocess.PIPE) for name in named]
    try:
        with counted(cast(LocalCell, cell), "page") as counts:
            while len(counts) < 2:
                os.sched_yield()
    finally:
        for one in running:
            one.communicate()
    assert max(counts) == 2
