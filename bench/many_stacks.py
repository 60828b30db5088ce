"""Measures `myflux-keys up`: tenants a minute with one and two workers, beside Dask, and the search for one change.

Owns the comparison of the workers with those of a local Dask cluster, which run the same `work`. Leaves out how the
cost of a tenant depends on the number of other tenants (`growth`), and Terraform (`add_tenant`). Every run adds the
same number of new tenants; the wait for their first keys is not measured.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.config
import distributed

from bench import stage
from bench.figures import Figure, at_most
from bench.measure import PeakMemory, seconds, spread
from ops.stacks import cluster, processes, sources
from ops.stacks.job import Done, Job
from ops.stacks.run import Plan, Run, Workers
from ops.stacks.stages import stages

_local_cluster: Any = distributed.LocalCluster
"""Dask has no usable types."""
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
    """One run. `seconds` go from the start of the workers to the last outcome."""

    tenants: int
    seconds: float
    mebibytes: float | None

    @property
    def a_minute(self) -> float:
        return round(60 * self.tenants / self.seconds, 1)


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
                ("ours-1", _ours(1, here.fleet)),
                ("ours-2", _ours(2, here.fleet)),
                ("dask-2", _dask(2)),
            )
        }
    return figures(taken["ours-1"], taken["ours-2"], taken["dask-2"], files, find(home / "files", files, samples))


Way = Callable[[Sequence[Job]], tuple[float, list[Done]]]
"""Runs the jobs; returns the seconds and the outcomes."""


def _ours(workers: int, fleet: Path) -> Way:
    return lambda jobs: _timed(jobs, processes.opened(workers, fleet))


def _dask(workers: int) -> Way:
    """Its workers find the fleet by their environment."""

    @contextmanager
    def opened() -> Generator[Workers]:
        scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        with (
            scratch as folder,
            dask.config.set({"temporary-directory": folder}),
            _local_cluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=0
            ) as local,
            cluster.opened(local.scheduler_address) as crew,
        ):
            yield crew

    return lambda jobs: _timed(jobs, opened())


def _timed(jobs: Sequence[Job], workers: AbstractContextManager[Workers]) -> tuple[float, list[Done]]:
    began = time.perf_counter()
    stacks = [job.stack for job in jobs]
    plan = Plan("up", stages((), stacks, canary=False), {job.stack: job.fingerprint for job in jobs})
    with workers as crew:
        result = Run(plan, crew, _Nothing(), lambda _progress: None).go()
        ended = time.perf_counter()
    return ended - began, list(result.outcomes.values())


def _take(here: stage.Stage, name: str, tenants: int, way: Way) -> Taken:
    slugs = [f"{name}-{one:02d}" for one in range(tenants)]
    with stage.towards(here.environment):
        code = sources.code_digest()
        jobs: list[Job] = []
        for slug in slugs:
            stack = here.expect_tenant(slug)
            jobs.append(Job("up", stack, sources.fingerprint(stack, here.fleet, code)))
        with PeakMemory() as memory:
            taken, done = way(jobs)
    wrong = [one.problem or one.locked for one in done if not one.ok or not one.changes.get("create")]
    if wrong or len(done) != tenants:
        raise RuntimeError(f"{name}: {len(done)} of {tenants} tenants, {wrong[:1]}")
    for slug in slugs:
        here.await_first_key(slug)
    return Taken(tenants, taken, memory.mebibytes)


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


def figures(one: Taken, two: Taken, dask: Taken, files: int, found: Sequence[float]) -> list[Figure]:
    """Pure: the table's lines for these samples."""
    note = f"{two.tenants} new tenants, each a stack of its own by the real engine"
    peer = f"Dask: {dask.a_minute} a minute"
    memory = None if two.mebibytes is None else round(two.mebibytes)
    return [
        Figure("tenants a minute, 1 worker", one.a_minute, "", note=note),
        Figure("tenants a minute, 2 workers", two.a_minute, "", peer=peer, note=note),
        Figure("2 workers over 1", round(two.a_minute / one.a_minute, 2), "times", note="the cell shares the cores"),
        Figure("memory, 2 workers and their engines", memory, "MiB", peer=_memory(dask)),
        at_most(
            f"one change found in {files:,} tenant files",
            round(spread(found).median, 2),
            "s",
            FIND_SECONDS,
            note=f"{spread(found)}; from the start of a process, including git",
        ),
    ]


def _memory(taken: Taken) -> str:
    return "" if taken.mebibytes is None else f"Dask: {taken.mebibytes:.0f} MiB"
