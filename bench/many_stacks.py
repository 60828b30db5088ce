"""Measures `myflux-keys up`: tenants a minute with one and two workers, Dask's cost, and the search for one change.

Owns the comparison of Dask with plain processes, which run the same `work`. Leaves out how the cost of a tenant depends
on the number of other tenants (`growth`), and Terraform (`add_tenant`). Every pool adds the same number of new tenants;
the wait for their first keys is not measured.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench import stage
from bench.figures import Figure, at_most
from bench.measure import PeakMemory, seconds, spread
from ops.stacks import pool, sources
from ops.stacks.job import Done, Job
from ops.stacks.run import Plan, Run
from ops.stacks.stages import stages
from ops.stacks.work import work

TENANTS: Final = 8
FILES: Final = 10_000
FIND_SECONDS: Final = 2.0
_FIND: Final = """
import sys
from pathlib import Path
from ops.stacks import changed
print(*changed.since("HEAD", Path(sys.argv[1])).stacks)
"""


@dataclass(frozen=True)
class Taken:
    """One pool's run, in seconds: `start` until it is ready, `work` from then until the last tenant is done."""

    tenants: int
    start: float
    work: float
    mebibytes: float | None

    @property
    def a_minute(self) -> float:
        return round(60 * self.tenants / self.work, 1)


class _Nothing:
    def add(self, stack: str, fingerprint: str) -> None:
        """Records nothing: every tenant here is new."""


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes two or three minutes; `quick` only tests that it works."""
    tenants, files, samples = (2, 100, 1) if quick else (TENANTS, FILES, 5)
    with stage.opened(home / "many-stacks") as here:
        here.environment["MYFLUX_STATE"] = str(home / "many-stacks" / "operations")
        here.add_tenant("warm")
        taken = {
            name: _take(here, name, tenants, way)
            for name, way in (
                ("dask-1", _dask(1, here.fleet)),
                ("dask-2", _dask(2, here.fleet)),
                ("plain-2", _plain(2, here.fleet)),
            )
        }
    return figures(taken["dask-1"], taken["dask-2"], taken["plain-2"], files, find(home / "files", files, samples))


Way = Callable[[Sequence[Job]], tuple[float, float, list[Done]]]
"""Runs the jobs; returns seconds until it is ready, seconds of work, and the outcomes."""


def _dask(workers: int, fleet: Path) -> Way:
    def way(jobs: Sequence[Job]) -> tuple[float, float, list[Done]]:
        began = time.perf_counter()
        stacks = [job.stack for job in jobs]
        plan = Plan("up", stages((), stacks, canary=False), {job.stack: job.fingerprint for job in jobs})
        with pool.opened(workers, None, fleet) as crew:
            ready = time.perf_counter()
            result = Run(plan, crew, _Nothing(), lambda _progress: None).go()
            ended = time.perf_counter()
        return ready - began, ended - ready, list(result.outcomes.values())

    return way


def _plain(workers: int, fleet: Path) -> Way:
    def way(jobs: Sequence[Job]) -> tuple[float, float, list[Done]]:
        began = time.perf_counter()
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as crew:
            # A process is ready when it has answered and imported its modules.
            list(crew.map(_imported, range(workers)))
            ready = time.perf_counter()
            done = list(crew.map(partial(work, fleet=fleet), jobs))
            ended = time.perf_counter()
        return ready - began, ended - ready, done

    return way


def _imported(one: int) -> int:
    return one


def _take(here: stage.Stage, name: str, tenants: int, way: Way) -> Taken:
    slugs = [f"{name}-{one:02d}" for one in range(tenants)]
    with stage.towards(here.environment):
        code = sources.code_digest()
        jobs: list[Job] = []
        for slug in slugs:
            stack = here.expect_tenant(slug)
            jobs.append(Job("up", stack, sources.fingerprint(stack, here.fleet, code)))
        with PeakMemory() as memory:
            start, worked, done = way(jobs)
    wrong = [one.problem or one.locked for one in done if not one.ok or not one.changes.get("create")]
    if wrong or len(done) != tenants:
        raise RuntimeError(f"{name}: {len(done)} of {tenants} tenants, {wrong[:1]}")
    for slug in slugs:
        here.await_first_key(slug)
    return Taken(tenants, start, worked, memory.mebibytes)


def find(folder: Path, files: int, samples: int) -> list[float]:
    """Seconds for a new process to find the one stack that a change affects, among `files` tenant files in git."""
    (folder / "tenants").mkdir(parents=True, exist_ok=True)
    (folder / "cells").mkdir(exist_ok=True)
    pattern = (stage.ROOT / "tenants" / f"{stage.PATTERN}.yaml").read_text(encoding="utf-8")
    cell = (stage.ROOT / "cells" / f"{stage.CELL}.yaml").read_text(encoding="utf-8")
    (folder / "cells" / f"{stage.CELL}.yaml").write_text(cell, encoding="utf-8")
    for one in range(files):
        text = pattern.replace(f"tenant: {stage.PATTERN} ", f"tenant: t-{one:05d} ")
        (folder / "tenants" / f"t-{one:05d}.yaml").write_text(text, encoding="utf-8")
    identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "--allow-empty", "-m", "all"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)
    with (folder / "tenants" / "t-00007.yaml").open("a", encoding="utf-8") as file:
        file.write("# touched\n")
    return [seconds(lambda: _found(folder)) for _ in range(samples)]


def _found(folder: Path) -> None:
    command = [sys.executable, "-c", _FIND, str(folder)]
    said = subprocess.run(command, cwd=stage.ROOT, capture_output=True, text=True, check=True).stdout
    if said.split() != [f"t-00007.{stage.CELL}"]:
        raise RuntimeError(f"the one change was not found: {said[:200]}")


def figures(one: Taken, two: Taken, plain: Taken, files: int, found: Sequence[float]) -> list[Figure]:
    """Pure: the table's lines for these samples."""
    note = f"{two.tenants} new tenants, each a stack of its own by the real engine"
    peer = f"plain processes: {plain.a_minute} a minute"
    memory = None if two.mebibytes is None else round(two.mebibytes)
    return [
        Figure("tenants a minute, 1 worker", one.a_minute, "", note=note),
        Figure("tenants a minute, 2 workers", two.a_minute, "", peer=peer, note=note),
        Figure("2 workers over 1", round(two.a_minute / one.a_minute, 2), "times", note="the cell shares the cores"),
        Figure("start of 2 workers", round(two.start, 2), "s", peer=f"plain processes: {plain.start:.2f} s"),
        Figure("memory, 2 workers and their engines", memory, "MiB", peer=_memory(plain)),
        at_most(
            f"one change found in {files:,} tenant files",
            round(spread(found).median, 2),
            "s",
            FIND_SECONDS,
            note=f"{spread(found)}; from the start of a process, including git",
        ),
    ]


def _memory(taken: Taken) -> str:
    return "" if taken.mebibytes is None else f"plain processes: {taken.mebibytes:.0f} MiB"
