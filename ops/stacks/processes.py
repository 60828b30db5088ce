"""The workers on this machine: each is a process that imports the code once, and works on one stack at a time.

Leaves out what a job does (`work`), which job is next (`run`) and other machines (`cluster`). If a worker is lost, a
new one gets its job, and `work` repairs what the lost one left unfinished.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

from ops import collector
from ops.stacks.job import Done, Job
from tenancy.loading import ROOT

_TRIES: Final = 3
"""A job whose workers were lost so often gets no further one."""
_SERVE: Final = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from ops.stacks.processes import serve; serve(*sys.argv[1:])"
)


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection[Job, Done]
    job: Job | None = None
    tries: int = 0


class Processes:
    """Made by `opened`."""

    def __init__(self, size: int, fleet: Path) -> None:
        self._fleet = fleet
        self._workers = [_Worker(*_started(fleet)) for _ in range(size)]

    @property
    def size(self) -> int:
        """How many jobs run at once."""
        return len(self._workers)

    @property
    def running(self) -> list[Job]:
        return [worker.job for worker in self._workers if worker.job]

    def start(self, job: Job) -> None:
        worker = next(each for each in self._workers if each.job is None)
        worker.job, worker.tries = job, 1
        _send(worker, job)

    def ended(self, seconds: float) -> list[tuple[Job, Done]]:
        """The jobs that have ended; waits at most `seconds` for the first."""
        busy = [(worker, worker.job) for worker in self._workers if worker.job]
        if not busy:
            time.sleep(seconds)
            return []
        ready = wait([worker.pipe for worker, _ in busy], seconds)
        outcomes = [(worker, job, self._outcome(worker, job)) for worker, job in busy if worker.pipe in ready]
        for worker, _, done in outcomes:
            worker.job = None if done else worker.job
        return [(job, done) for _, job, done in outcomes if done]

    def close(self) -> None:
        """Ends the workers, each once its job has ended."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.wait()

    def _outcome(self, worker: _Worker, job: Job) -> Done | None:
        """None where the worker was lost and a new one has its job."""
        try:
            return worker.pipe.recv()
        except (EOFError, OSError):
            worker.pipe.close()
            worker.process.wait()
            worker.process, worker.pipe = _started(self._fleet)
        if worker.tries == _TRIES:
            return Done(job.stack, problem="its worker was lost several times: check this machine's memory and logs.")
        worker.tries += 1
        _send(worker, job)
        return None


@contextmanager
def opened(size: int, fleet: Path) -> Generator[Processes]:
    """`fleet` holds tenants/ and cells/."""
    processes = Processes(size, fleet)
    try:
        yield processes
    finally:
        processes.close()


def _started(fleet: Path) -> tuple[subprocess.Popen[bytes], Connection[Job, Done]]:
    """In its own session: a terminal sends Ctrl-C to every process of its session, and an engine that gets it stops
    before it has finished. In another session, running stacks finish."""
    ours, theirs = Pipe()
    # The worker has the other end alone, so that the pipe ends with the worker.
    with theirs:
        number = theirs.fileno()
        command = [sys.executable, "-c", _SERVE, str(ROOT), str(number), str(fleet)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[number], start_new_session=True), ours


def _send(worker: _Worker, job: Job) -> None:
    # A worker that is lost is noticed where its outcome is read.
    with contextlib.suppress(OSError):
        worker.pipe.send(job)


def serve(descriptor: str, fleet: str) -> None:
    """A worker's life: it works on each job that it receives, until the command has closed the pipe or has ended."""
    with collector.paused():
        from ops.stacks.work import work

    pipe: Connection[Done, Job] = Connection(int(descriptor))
    with pipe, contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(work(pipe.recv(), Path(fleet)))
