"""Measures the memory of one worker of `myflux-keys up` over many stacks, which must stay flat.

The worker's process alone is read, after each stack: engines and providers are processes of their own that end with it.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import stage
from bench.figures import Figure, at_most
from ops.stacks import processes, sources
from ops.stacks.job import Done, Job

TENANTS: Final = 5
STACKS: Final = 500
WARM: Final = 20
"""The first stacks load what is loaded late."""
GROWTH: Final = 1.05
"""The largest allowed ratio of the last ten stacks' median to that of the ten after the warm ones."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes half an hour; `quick` only tests that it works."""
    tenants, stacks = (1, 3) if quick else (TENANTS, STACKS)
    with stage.opened(home / "worker-memory") as here:
        here.environment["MYFLUX_STATE"] = str(home / "worker-memory" / "operations")
        names = [here.expect_tenant(f"memory-{one}") for one in range(tenants)]
        with stage.towards(here.environment):
            code = sources.code_digest()
            jobs = [Job("up", name, sources.fingerprint(name, here.fleet, code)) for name in names]
            samples = _samples([jobs[one % tenants] for one in range(stacks)], here.fleet)
        for one in range(tenants):
            here.await_first_key(f"memory-{one}")
    return figures(samples)


def _samples(jobs: Sequence[Job], fleet: Path) -> list[float]:
    """The worker's MiB after each job: the first makes a stack, the later ones of it change nothing."""
    found: list[float] = []
    others = _children()
    with processes.opened(1, fleet) as worker:
        (pid,) = _children() - others
        for job in jobs:
            worker.start(job)
            ended: list[tuple[Job, Done]] = []
            while not ended:
                ended = worker.ended(1.0)
            if not ended[0][1].ok:
                raise RuntimeError(ended[0][1].problem or ended[0][1].locked)
            found.append(int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE / 2**20)
        if _children() - others != {pid}:
            raise RuntimeError("the worker was lost, and another one measured")
    return found


def _children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text("ascii").split()}


def figures(samples: Sequence[float]) -> list[Figure]:
    """Pure: the table's lines for the MiB after each stack."""
    early, late = samples[WARM : WARM + 10] or samples, samples[-10:]
    ratio = statistics.median(late) / statistics.median(early)
    note = (
        f"{statistics.median(early):.0f} MiB after stack {WARM}, {statistics.median(late):.0f} MiB after {len(samples)}"
    )
    return [
        Figure("memory of a worker", round(max(samples)), "MiB", note=f"the largest of {len(samples)} stacks"),
        at_most(f"memory of a worker after {len(samples)} stacks", round(ratio, 3), "times", GROWTH, note=note),
    ]
