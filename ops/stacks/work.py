"""One stack's operation, as a worker does it: on this machine or on another, in a process of its own.

Owns the guard against another checkout, the stale lock and the pending operations of a worker that was lost, and what
is told afterwards. Leaves out which stacks (`choice`), their order (`stages`) and the workers (`pool`). Nothing is
raised: whatever happens to one stack is its own outcome.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperationError, explain
from ops.stacks import backend, check_secrets, lock_holder, pending, record, sources
from ops.stacks.engine import Engine, OperationFailed, Outcome
from ops.stacks.job import Done, Job
from ops.stacks.pending import Mended
from tenancy.loading import FLEET, ROOT

_ORPHAN_SECONDS: Final = 600.0
"""An engine outlives its worker until it next says something. So long a lost worker's successor waits for it."""
_TAKEN: Final = "currently locked by"
"""What the engine says where somebody took the lock a moment ago."""


def work(job: Job, fleet: Path | None = None) -> Done:
    """In this process's environment: credentials and backend are this machine's.

    `fleet` holds tenants/ and cells/. None, on a machine that a scheduler chose: where its own environment says."""
    began = time.monotonic()
    fleet = fleet or Path(os.environ.get(FLEET, ROOT))
    ours = sources.fingerprint(job.stack, fleet, sources.code_digest())
    if ours != job.fingerprint:
        return Done(
            job.stack,
            problem="this worker has other code, packages or files than the machine that started the run: check out "
            "the same commit there and install requirements.txt. Nothing was changed.",
        )
    place = record.place()
    # Who only looks neither needs the lock nor mends anything.
    looks = job.dry or job.operation == "preview"
    lost = None if looks else lock_holder.begin(place, job.stack)
    done = Done(job.stack, problem="it was stopped")
    try:
        engine = Engine(_logs(place, job), fleet)
        done = _do(job, engine, fleet) if looks else _attempt(job, engine, fleet, lost)
    except OperationFailed as failure:
        told = [check_secrets.meaning(fleet, job.stack, failure.said + failure.explanation), failure.explanation]
        told.append(f"All that the engine said is in {failure.log}.")
        done = Done(job.stack, problem="\n".join(filter(None, told)))
    except OperationError as error:
        done = Done(job.stack, problem=str(error))
    except (BotoCoreError, ClientError) as error:
        done = Done(job.stack, problem=explain(error))
    finally:
        # What an earlier worker left is not mended before all is well: whoever comes next needs the note of it.
        if not looks and (lost is None or done.ok):
            lock_holder.end(place, job.stack)
    return replace(done, seconds=time.monotonic() - began)


def _attempt(job: Job, engine: Engine, fleet: Path, lost: lock_holder.Note | None) -> Done:
    """`lost` is the note of a worker that didn't come to its end at this stack."""
    url = backend.address()
    while True:
        held = _free(url, job.stack, lost)
        if held:
            return Done(job.stack, locked="; ".join(str(lock) for lock in held))
        mended = _mend(job.stack, engine) if lost else Mended(None)
        if mended.unknown:
            return Done(job.stack, problem=_look_for(job.stack, mended.unknown))
        try:
            done = _do(job, engine, fleet, refresh=mended.deployment is not None)
        except OperationFailed as failure:
            if _TAKEN not in failure.said or not backend.locks(url, job.stack):
                raise
        else:
            return replace(done, mended=_told(mended))


def _free(url: str, stack: str, lost: lock_holder.Note | None) -> list[lock_holder.Lock]:
    """The locks that stay. One is taken away where its holder is provably gone; a lost worker's engine that is still
    at it is waited for, since it ends by itself."""
    give_up = time.monotonic() + _ORPHAN_SECONDS
    while True:
        held = backend.locks(url, stack)
        for stale in [lock for lock in held if lock_holder.is_gone(lock, lost)]:
            backend.unlock(url, stale)
            held.remove(stale)
        if not held or lost is None or time.monotonic() > give_up:
            return held
        time.sleep(1.0)


def _do(job: Job, engine: Engine, fleet: Path, *, refresh: bool = False) -> Done:
    """Where a secret differs from the files, the state is read back first: the engine compares the files with it alone.

    After an `up` it is looked at again, since nothing is called mended on the engine's word."""
    if job.operation not in ("up", "preview"):
        return Done(job.stack, _operate(job, engine, refresh=refresh).changes)
    found = check_secrets.differing(fleet, job.stack, engine, job.operation)
    changes = _operate(job, engine, refresh=refresh or bool(found)).changes
    left = check_secrets.differing(fleet, job.stack, engine, job.operation) if found and job.operation == "up" else []
    problem = f"it was brought up, and AWS shows this still: {'; '.join(left)}." if left else ""
    first = changes.keys() <= {"create", "read"}
    return Done(job.stack, changes, problem=problem, found=() if first else tuple(found))


def _operate(job: Job, engine: Engine, *, refresh: bool = False) -> Outcome:
    """`refresh` first reads back what is there into the state."""
    if job.operation == "up":
        return engine.up(job.stack, refresh=refresh)
    if job.operation == "preview":
        return engine.preview(job.stack, refresh=refresh)
    if job.operation == "refresh":
        return engine.refresh(job.stack)
    return engine.destroy(job.stack, remove=not job.dry, dry=job.dry, refresh=refresh)


def _mend(stack: str, engine: Engine) -> Mended:
    before = engine.export(stack)
    mended = pending.mend(json.loads(before), pending.in_aws)
    if mended.deployment is None or mended.unknown:
        return mended
    # Replacing takes the stack's lock, reading does not: whoever was there in between has mended it.
    if engine.export(stack) != before:
        return Mended(None)
    engine.replace_state(stack, mended.deployment)
    return mended


def _told(mended: Mended) -> tuple[str, ...]:
    found = [f"{_name(urn)} existed and was imported" for urn in mended.found]
    return (*found, *(f"{_name(urn)} was not finished and was made again" for urn in mended.again))


def _look_for(stack: str, unknown: tuple[str, ...]) -> str:
    names = ", ".join(_name(urn) for urn in unknown)
    return (
        f"a worker was lost while it made {names}, which cannot be found by name: check whether it exists in AWS, run "
        f"`pulumi refresh --stack {stack}`, answer its question, and run the same command again. Nothing was changed."
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _logs(place: Path, job: Job) -> Path:
    """A folder whose logs of this stack are the last operation's: ten thousand stacks are looked at every night."""
    folder = place / "logs"
    for old in folder.glob(f"{job.stack}.{job.operation}.*"):
        old.unlink(missing_ok=True)
    return folder
