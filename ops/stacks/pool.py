"""The workers: processes on this machine, or those of a Dask scheduler somewhere. One way of asking for both.

Owns Dask. Leaves out what a job is (`work`) and which comes next (`run`). A worker that is lost takes its job with it,
and the scheduler gives the job to another; what the lost one left half done is `work`'s to mend.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import dask.config
import distributed

from ops.errors import OperationError
from ops.stacks.job import Done, Job
from ops.stacks.work import work

_dask: Any = distributed
"""Its types say nothing that could be checked."""
_CONNECT_SECONDS: Final = 20
_START_SECONDS: Final = 120


class _OwnSession(distributed.WorkerPlugin):
    """A terminal sends Ctrl-C to every process of its session, engines included, and an engine that hears it stops in
    the middle: workers and what they start have a session of their own, and what is in flight comes to its end."""

    name = "own-session"

    def setup(self, worker: Any) -> None:  # noqa: ARG002  (Dask's own shape)
        if os.getsid(0) != os.getpid():
            os.setsid()


class Pool:
    """Made by `opened`."""

    def __init__(self, client: Any, fleet: Path | None) -> None:
        self._client = client
        self._fleet = fleet
        self._running: dict[Any, Job] = {}

    @property
    def size(self) -> int:
        """How many jobs run at once; it may change while a cluster grows or shrinks."""
        return sum(self._client.ncores().values())

    @property
    def running(self) -> list[Job]:
        return list(self._running.values())

    def start(self, job: Job) -> None:
        self._running[self._client.submit(work, job, self._fleet, pure=False)] = job

    def ended(self, seconds: float) -> list[tuple[Job, Done]]:
        """What has come to its end, waited for no longer than that."""
        if not self._running:
            time.sleep(seconds)
            return []
        try:
            done = _dask.wait(list(self._running), timeout=seconds, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            return []
        return [(self._running[future], _outcome(future, self._running.pop(future))) for future in done]


def _outcome(future: Any, job: Job) -> Done:
    """`work` raises nothing itself: what comes here as an exception is about the worker."""
    if future.status in ("cancelled", "lost"):
        return Done(job.stack, problem="the scheduler was lost, and with it the result of this stack: run it again.")
    try:
        return future.result()
    except _dask.KilledWorker:
        return Done(job.stack, problem="its worker was lost several times: check that machine's memory and logs.")
    # Whatever else a foreign cluster may answer is this stack's failure and no reason to forget the others.
    except Exception as error:  # noqa: BLE001
        return Done(job.stack, problem=f"its worker failed: {type(error).__name__}: {error}")


@contextmanager
def opened(workers: int, scheduler: str | None, fleet: Path) -> Generator[Pool]:
    """`fleet` holds tenants/ and cells/ on this machine; the workers of a scheduler have theirs, as their environment
    says. Raises OperationError where the scheduler can't be reached or has no worker."""
    # Dask tells of every lost worker at length; here that is an outcome.
    logger = logging.getLogger("distributed")
    with ExitStack() as held:
        held.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
        if scheduler is None:
            # Scheduler and workers would leave a folder of theirs among the machine's temporary files.
            scratch = held.enter_context(
                tempfile.TemporaryDirectory(prefix="myflux-fleet-", ignore_cleanup_errors=True)
            )
            held.enter_context(dask.config.set({"temporary-directory": scratch}))
            cluster = _dask.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
                # What a worker holds is small, and the engine is not its own: no limit would ever mean anything.
                memory_limit=0,
            )
            client = held.enter_context(_dask.Client(held.enter_context(cluster)))
            client.register_plugin(_OwnSession())
        else:
            try:
                client = held.enter_context(_dask.Client(scheduler, timeout=_CONNECT_SECONDS))
            except (OSError, ValueError) as error:
                raise OperationError(
                    f"no Dask scheduler answers at {scheduler} ({error}): start one with `dask scheduler`, and in a "
                    "checkout of this repository on each machine run `dask worker ADDRESS`. Nothing was changed."
                ) from None
        try:
            client.wait_for_workers(1, timeout=_START_SECONDS if scheduler is None else _CONNECT_SECONDS)
        except TimeoutError:
            raise OperationError(
                f"the scheduler at {scheduler} has no worker: in a checkout of this repository on each machine, run "
                f"`dask worker {scheduler}`. Nothing was changed."
            ) from None
        yield Pool(client, fleet if scheduler is None else None)
