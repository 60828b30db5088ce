"""The workers of a Dask scheduler, on any number of machines.

Owns Dask. Leaves out what a job does (`work`), which job is next (`run`) and workers of this machine alone
(`processes`). If a worker is lost, the scheduler gives its job to another worker, and `work` repairs what the lost one
left unfinished.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import distributed

from ops.errors import OperationError
from ops.stacks.job import Done, Job
from ops.stacks.work import work

_dask: Any = distributed
"""Dask has no usable types."""
_CONNECT_SECONDS: Final = 20


class Cluster:
    """Made by `opened`."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._running: dict[Any, Job] = {}

    @property
    def size(self) -> int:
        """How many jobs run at once; it may change while a cluster grows or shrinks."""
        return sum(self._client.ncores().values())

    @property
    def running(self) -> list[Job]:
        return list(self._running.values())

    def start(self, job: Job) -> None:
        self._running[self._client.submit(work, job, pure=False)] = job

    def ended(self, seconds: float) -> list[tuple[Job, Done]]:
        """The jobs that have ended; waits at most `seconds` for the first."""
        if not self._running:
            time.sleep(seconds)
            return []
        try:
            done = _dask.wait(list(self._running), timeout=seconds, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return []
        return [(self._running[future], _outcome(future, self._running.pop(future))) for future in done]


def _outcome(future: Any, job: Job) -> Done:
    """`work` raises no exception: an exception here is about the worker."""
    if future.status in ("cancelled", "lost"):
        return Done(job.stack, problem="the scheduler was lost, and with it the result of this stack: run it again.")
    try:
        return future.result()
    except _dask.KilledWorker:
        return Done(job.stack, problem="its worker was lost several times: check that machine's memory and logs.")
    # Any other error of an external cluster is this stack's failure, and must not lose the results of the others.
    except Exception as error:  # noqa: BLE001
        return Done(job.stack, problem=f"its worker failed: {type(error).__name__}: {error}")


@contextmanager
def opened(scheduler: str) -> Generator[Cluster]:
    """The workers use the folder of tenants/ and cells/ that their own environment names.

    Raises OperationError where the scheduler cannot be reached or has no worker."""
    # Dask logs every lost worker at length; here a lost worker is an outcome.
    logger = logging.getLogger("distributed")
    with ExitStack() as held:
        held.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        try:
            client = held.enter_context(_dask.Client(scheduler, timeout=_CONNECT_SECONDS))
        except (OSError, ValueError) as error:
            raise OperationError(
                f"no Dask scheduler answers at {scheduler} ({error}): start one with `dask scheduler "
                "--no-dashboard`, and in a checkout of this repository on each machine run `dask worker ADDRESS "
                "--no-dashboard`. Nothing was changed."
            ) from None
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError:
            raise OperationError(
                f"the scheduler at {scheduler} has no worker: in a checkout of this repository on each machine, run "
                f"`dask worker {scheduler} --no-dashboard`. Nothing was changed."
            ) from None
        yield Cluster(client)
