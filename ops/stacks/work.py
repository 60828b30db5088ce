"""A worker's job: runs one operation on one stack, in its own process on this machine or on another.

Refuses a checkout that differs, removes the stale lock of a lost worker, repairs what it left, and reports the outcome.
Leaves out which stacks (`choice`), their order (`stages`) and the workers (`processes`, `cluster`). Raises nothing: an
error of one stack is its outcome.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from ops import journal, state_place
from ops.errors import OperationError, Unreadable
from ops.explained import explained
from ops.stacks import (
    backend,
    check_secrets,
    lock_holder,
    lock_process,
    marking,
    pending,
    settling,
    sources,
    state_file,
    told_again,
)
from ops.stacks.engine import Engine, OperationFailed, Outcome
from ops.stacks.job import Done, Job
from ops.stacks.pending import Mended
from ops.state_place import StatePlace
from tenancy import TenancyError
from tenancy.loading import FLEET, ROOT

_ORPHAN_SECONDS: Final = 600.0
"""An engine whose worker was lost runs until it next writes output: the next worker waits for it at most so long."""


def work(job: Job, fleet: Path | None = None) -> Done:
    """Uses this process's environment: credentials and backend are this machine's.

    `fleet` holds tenants/ and cells/; None on a scheduler's worker, whose own environment names the folder."""
    began = time.monotonic()
    try:
        done = _work(job, fleet or Path(os.environ.get(FLEET, ROOT)))
    # Also an error that nobody foresaw: another worker would meet it too.
    except Exception as error:  # noqa: BLE001
        problem = explained(error) or f"its worker failed: {type(error).__name__}: {error}"
        again = not isinstance(error, OperationError | TenancyError)
        done = Done(job.stack, problem=problem, unreadable=isinstance(error, Unreadable), again=again)
    return replace(done, seconds=time.monotonic() - began)


def _work(job: Job, fleet: Path) -> Done:
    ours = sources.fingerprint(job.stack, fleet, sources.code_digest())
    if ours != job.fingerprint:
        return Done(
            job.stack,
            problem="this worker has other code, packages or files than the machine that started the run: check out "
            "the same commit there and install requirements.txt. Nothing was changed.",
            again=False,
        )
    at = state_place.of(state_place.cell_of(fleet, job.stack))
    place = lock_holder.notes(at.url)
    # A job that only reads needs no lock and repairs nothing.
    reads = job.dry or job.operation == "preview"
    lost = None if reads else lock_holder.begin(place, job.stack)
    done = Done(job.stack, problem="it was stopped")
    try:
        engine = Engine(_logs(job), fleet)
        done = _do(job, engine, fleet, refresh=job.refresh) if reads else _attempt(job, engine, fleet, at, lost)
    except OperationFailed as failure:
        way_out = check_secrets.way_out(fleet, job.stack, failure.output + failure.explanation)
        lines = [way_out, failure.explanation, f"The engine's complete output is in {failure.log}."]
        again = not way_out and check_secrets.owners(fleet, job.stack) is not None
        done = Done(job.stack, problem="\n".join(filter(None, lines)), again=again)
    finally:
        # The note of a lost worker stays until the job succeeds: the next worker needs it for the repair.
        if not reads and (lost is None or done.ok):
            lock_holder.end(place, job.stack)
    return done


def _attempt(job: Job, engine: Engine, fleet: Path, at: StatePlace, lost: lock_holder.Note | None) -> Done:
    """`lost` is the note of a worker that was lost while it worked on this stack."""
    while True:
        locks, freed = _remaining_locks(at.url, job.stack, lost)
        if locks:
            return Done(job.stack, locked="; ".join(_holder(lock) for lock in locks), mended=freed)
        state = state_file.opened(at.url, job.stack)
        mended = settling.mend(engine, job.stack) if lost or state.cut_off else Mended(None)
        if mended.unknown:
            return Done(job.stack, problem=pending.not_found(job.stack, mended.unknown), again=False)
        try:
            leave_mark = _marking(job, fleet, at)
            refresh = state.cut_off or mended.deployment is not None or job.refresh
            if job.refresh:
                told_again.tell_again(engine, job.stack)
            done = _do(job, engine, fleet, leave_mark, refresh=refresh)
        except OperationFailed as failure:
            if backend.TAKEN not in failure.output or not backend.locks(at.url, job.stack):
                raise
        else:
            return replace(done, mended=(*freed, *state.repaired, *_repairs(mended)))


def _remaining_locks(
    url: str, stack: str, lost: lock_holder.Note | None
) -> tuple[list[lock_holder.Lock], tuple[str, ...]]:
    """Removes the locks whose holder has provably ended; returns the others, and a phrase for each that was removed.
    Waits for the engine of a lost worker that still runs, since it ends by itself."""
    freed: list[str] = []
    give_up = time.monotonic() + _ORPHAN_SECONDS
    while True:
        locks = backend.locks(url, stack)
        for stale in [lock for lock in locks if lock_holder.has_ended(lock, lost) or lock_process.has_ended(lock, url)]:
            backend.unlock(url, stale)
            locks.remove(stale)
            freed.append(f"the lock of {stale} was removed: that process has ended")
        if not locks or lost is None or time.monotonic() > give_up:
            return locks, tuple(freed)
        time.sleep(1.0)


def _holder(lock: lock_holder.Lock) -> str:
    return (
        f"{lock} (this machine has that name, and no such process)" if lock_process.is_missing_here(lock) else str(lock)
    )


def _do(
    job: Job, engine: Engine, fleet: Path, leave_mark: marking.Leave = marking.none, *, refresh: bool = False
) -> Done:
    """Where a secret differs from the files, refreshes first: the engine compares the files only with the state.

    After an `up`, checks the secret again in AWS before it counts as repaired."""
    if job.operation not in ("up", "preview"):
        outcome = _operate(job, engine, refresh=refresh)
        ended = time.time()
        problem = _taken_out(job, engine, fleet) if job.operation == "refresh" and "delete" in outcome.changes else ""
        unmarked = "" if problem else leave_mark(ended)
        return Done(job.stack, outcome.changes, problem=problem, steps=outcome.steps, unmarked=unmarked)
    found = check_secrets.differing(fleet, job.stack, engine, job.operation)
    outcome = _operate(job, engine, refresh=refresh or bool(found))
    ended = time.time()
    left = check_secrets.differing(fleet, job.stack, engine, job.operation) if found and job.operation == "up" else []
    problem = f"it was deployed, but AWS still differs from the files: {'; '.join(left)}." if left else ""
    first = outcome.changes.keys() <= {"create", "read"}
    return Done(
        job.stack,
        outcome.changes,
        problem=problem,
        found=() if first else tuple(found),
        steps=outcome.steps,
        unmarked="" if problem else leave_mark(ended),
    )


def _marking(job: Job, fleet: Path, at: StatePlace) -> marking.Leave:
    if job.operation == "up":
        return marking.begun(job.stack, fleet, at)
    return marking.refreshed(job.stack, at) if job.operation == "refresh" else marking.none


def _taken_out(job: Job, engine: Engine, fleet: Path) -> str:
    """What a person must do about a secret that a refresh no longer found: AWS's provider reads one whose deletion is
    scheduled as gone, and the state then does not know it. Empty where `up` makes what is missing."""
    try:
        check_secrets.differing(fleet, job.stack, engine, job.operation)
    except OperationError as error:
        return f"the refresh took it out of the state: {str(error).removesuffix(' Nothing was changed.')}"
    return ""


def _operate(job: Job, engine: Engine, *, refresh: bool = False) -> Outcome:
    """`refresh` first updates the state from AWS."""
    if job.operation == "up":
        return engine.up(job.stack, refresh=refresh)
    if job.operation == "preview":
        return engine.preview(job.stack, refresh=refresh)
    if job.operation == "refresh":
        return engine.refresh(job.stack)
    return engine.destroy(job.stack, remove=not job.dry, dry=job.dry, refresh=refresh)


def _repairs(mended: Mended) -> tuple[str, ...]:
    found = [f"{pending.name(urn)} existed and was imported" for urn in mended.found]
    return (*found, *(f"{pending.name(urn)} was not finished and was made again" for urn in mended.again))


def _logs(job: Job) -> Path:
    """The folder of the logs; deletes earlier logs of this stack and operation, since a run may have 10,000 stacks."""
    folder = journal.logs()
    for old in folder.glob(f"{job.stack}.{job.operation}.*"):
        old.unlink(missing_ok=True)
    return folder
