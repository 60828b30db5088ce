"""Runs one operation over many stacks, stage by stage, until it is complete or stopped.

Owns which job starts when, waiting for locks, and stopping. Leaves out the workers (`processes`, `cluster`), one
stack's work (`work`), the stages (`stages`) and the record (`record`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from ops.stacks.job import Done, Job, Operation
from ops.stacks.stages import Stage, why_to_stop

LOOK_SECONDS: Final = 0.5
LOCKED_SECONDS: Final = 5.0
"""Between two attempts at a stack that another process has locked."""
WAIT_SECONDS: Final = 1800.0
"""For one locked stack: longer than an engine needs for any stack, also where it waits for AWS to end a function."""


class Workers(Protocol):
    """The part of the workers that a run uses."""

    @property
    def size(self) -> int: ...
    @property
    def running(self) -> list[Job]: ...
    def start(self, job: Job) -> None: ...
    def ended(self, seconds: float) -> list[tuple[Job, Done]]: ...


class Keeper(Protocol):
    """The part of a record that a run uses."""

    def add(self, stack: str, fingerprint: str) -> None: ...


@dataclass(frozen=True)
class Plan:
    """`fingerprints` holds every stack's; `done` are the stacks that an earlier run has finished; `most` is the number
    of failures allowed. `wait` tries again while another process has locked a stack, for `wait_seconds` at most.
    `refresh`: see `Job`."""

    operation: Operation
    stages: Sequence[Stage]
    fingerprints: Mapping[str, str]
    done: frozenset[str] = frozenset()
    most: int = 0
    wait: bool = False
    wait_seconds: float = WAIT_SECONDS
    dry: bool = False
    refresh: bool = False

    @property
    def left(self) -> list[str]:
        return [stack for stage in self.stages for stack in stage.stacks if stack not in self.done]


@dataclass(frozen=True)
class Progress:
    total: int
    done: int
    failed: int
    running: int
    waiting: int
    seconds_left: float | None
    """None until the first stack has ended."""
    holders: tuple[str, ...] = ()
    """Of the locks that are waited for."""


@dataclass
class Result:
    """`stopped` says why some stacks were not started; `interrupted`: a person or a signal stopped the run."""

    outcomes: dict[str, Done] = field(default_factory=dict[str, Done])
    not_begun: list[str] = field(default_factory=list[str])
    stopped: str = ""
    interrupted: bool = False

    @property
    def failed(self) -> list[str]:
        return sorted(stack for stack, done in self.outcomes.items() if not done.ok)

    @property
    def worth_another_try(self) -> list[str]:
        """Those of `failed` for which a person need not do something else first."""
        return [stack for stack in self.failed if self.outcomes[stack].again]

    @property
    def complete(self) -> bool:
        return not self.failed and not self.not_begun


class Run:
    """`stop` may be called at any time, also from a signal handler: running jobs then finish."""

    def __init__(
        self,
        plan: Plan,
        workers: Workers,
        keeper: Keeper,
        report: Callable[[Progress], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._workers = workers
        self._keeper = keeper
        self._report = report
        self._now = now
        self._stopping = False
        self._total = len(plan.left)
        self._failed: list[str] = []
        self._began = now()
        self._later: deque[tuple[float, str]] = deque()
        self._waited: dict[str, float] = {}
        self._holders: dict[str, str] = {}
        self._queues = [deque(stack for stack in stage.stacks if stack not in plan.done) for stage in plan.stages]
        self.result = Result()

    def stop(self) -> None:
        self._stopping = True

    def go(self) -> Result:
        for index, stage in enumerate(self._plan.stages):
            if not self._stopping and not self.result.stopped:
                self._through(stage, self._queues[index], self._queues[index + 1 :])
        begun = self.result.outcomes.keys() | self._plan.done
        self.result.not_begun = [stack for stack in self._plan.left if stack not in begun]
        if not self.result.not_begun:
            self.result.stopped = ""
        self.result.interrupted = self._stopping
        return self.result

    def _through(self, stage: Stage, queue: deque[str], later: Sequence[deque[str]]) -> None:
        before = len(self._failed)
        while queue or self._later or self._workers.running:
            if self._stopping or self.result.stopped:
                queue.clear()
                self._later.clear()
            while self._later and self._later[0][0] <= self._now():
                queue.append(self._later.popleft()[1])
            while queue and len(self._workers.running) < self._workers.size:
                stack = queue.popleft()
                self._workers.start(self._job(stack))
            self._report(self._progress())
            for job, done in self._workers.ended(LOOK_SECONDS):
                self._end(job, done)
                others = next(filter(None, later), None)
                if stage.canary and done.unopened and others and job.stack in self.result.outcomes:
                    queue.append(others.popleft())
            failed = [stack for stack in self._failed[before:] if not (stage.canary and self._unopened(stack))]
            why = why_to_stop(stage, failed, len(self._failed), self._plan.most)
            self.result.stopped = self.result.stopped or why or ""
        self._report(self._progress())

    def _unopened(self, stack: str) -> bool:
        return self.result.outcomes[stack].unopened

    def _job(self, stack: str) -> Job:
        plan = self._plan
        return Job(plan.operation, stack, plan.fingerprints[stack], dry=plan.dry, refresh=plan.refresh)

    def _end(self, job: Job, done: Done) -> None:
        self._holders.pop(job.stack, None)
        if done.locked and self._plan.wait and not self._stopping:
            now = self._now()
            if now < self._waited.setdefault(job.stack, now) + self._plan.wait_seconds:
                self._holders[job.stack] = f"{job.stack}: {done.locked}"
                self._later.append((now + LOCKED_SECONDS, job.stack))
                return
        self.result.outcomes[job.stack] = done
        if not done.ok:
            self._failed.append(job.stack)
        elif not self._plan.dry:
            self._keeper.add(job.stack, job.fingerprint)

    def _progress(self) -> Progress:
        ended, failed = len(self.result.outcomes), len(self._failed)
        left = self._total - ended
        pace = (self._now() - self._began) / ended if ended else None
        return Progress(
            total=self._total + len(self._plan.done),
            done=ended - failed + len(self._plan.done),
            failed=failed,
            running=len(self._workers.running),
            waiting=len(self._later),
            seconds_left=pace * left if pace is not None else None,
            holders=tuple(self._holders.values()),
        )
