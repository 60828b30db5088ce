"""The workers of this machine: a lost one is replaced, and its job is not lost with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ops.stacks import processes
from ops.stacks.job import Done, Job
from ops.stacks.processes import Processes
from tenancy.loading import ROOT

REFUSED = Job("preview", "acme.local", "the fingerprint of another checkout")
"""A worker answers it at once, and starts no engine."""


@dataclass(frozen=True)
class Deadly(Job):
    """Ends the worker that receives it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os._exit, (9,)


def outcomes(workers: Processes, count: int) -> list[Done]:
    ended: list[Done] = []
    while len(ended) < count:
        ended += [done for _, done in workers.ended(1.0)]
    return ended


def test_as_many_jobs_run_at_once_as_there_are_workers_and_each_worker_takes_a_second_one() -> None:
    with processes.opened(2, ROOT) as workers:
        for _ in range(2):
            assert workers.size == 2
            workers.start(REFUSED)
            workers.start(REFUSED)
            assert workers.running == [REFUSED, REFUSED]
            assert all("other code, packages or files" in done.problem for done in outcomes(workers, 2))
            assert workers.running == []


def test_a_new_worker_takes_the_job_of_a_lost_one() -> None:
    with processes.opened(1, ROOT) as workers:
        (first,) = [worker.process for worker in workers._workers]
        first.send_signal(signal.SIGKILL)
        first.wait()
        workers.start(REFUSED)
        (done,) = outcomes(workers, 1)
        assert "other code, packages or files" in done.problem


def test_a_job_that_costs_one_worker_after_another_fails_and_the_next_job_finds_a_worker() -> None:
    with processes.opened(1, ROOT) as workers:
        workers.start(Deadly("up", "acme.local", ""))
        (done,) = outcomes(workers, 1)
        assert "lost several times" in done.problem
        workers.start(REFUSED)
        (done,) = outcomes(workers, 1)
        assert "other code, packages or files" in done.problem
