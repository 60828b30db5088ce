"""Rotates secrets by their schedules.

If the clock was moved past one or more windows, in which AWS would have rotated the secret, it is rotated at once, and
only once. Windows that were far apart open together then: their secrets are rotated one after the other, in the order
of the windows, a few at a time. A file tells who moved the clock how many are left.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from dataclasses import asdict
from pathlib import Path

from local import clock, rotations
from local.aws.secrets import deletion, labels, plan, rotation_driver
from local.aws.secrets.labels import PENDING
from local.aws.secrets.store import LOCK, Record, acting_for, all_secrets, now
from local.rotations import Rotations

LOOK_SECONDS = 0.25
AT_ONCE = 4
"""Of the scheduled rotations: fewer than the executions that a cell reserves for its function."""

_log = logging.getLogger("local.aws.secrets")


def start() -> threading.Thread:
    thread = threading.Thread(target=_watch, name="secrets-schedule", daemon=True)
    thread.start()
    return thread


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            look()
        except Exception:  # noqa: BLE001 (this thread rotates every other secret too)
            _log.exception("an error in the rotation schedule; it continues")


def look() -> None:
    """Starts the rotations that are due and deletes each secret whose recovery window is over."""
    offset, moment = clock.offset(), now()
    due = [secret for secret in all_secrets() if plan.is_due(secret, moment) and _may_start(secret)]
    due.sort(key=lambda secret: secret["_NotBefore"])
    free = max(0, AT_ONCE - rotation_driver.under_way())
    for secret in due[:free]:
        _start(secret)
    deletion.purge_expired()
    _tell(offset, waiting=len(due[free:]))


def _may_start(secret: Record) -> bool:
    return not secret.get("_PrimarySecretArn") and rotation_driver.running(secret) is None


def _tell(offset: float, waiting: int) -> None:
    """Writes what `local.rotations` reads, where it has changed."""
    path = os.environ.get(clock.ENVIRONMENT)
    if not path:
        return
    failed = sum(1 for secret in all_secrets() if plan.has_failed(secret))
    found = Rotations(offset, waiting, rotation_driver.under_way(), failed)
    if _told == [found]:
        return
    file = Path(path).with_name(rotations.FILE)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(found)), encoding="ascii")
    draft.replace(file)
    _told[:] = [found]


_told: list[Rotations] = []
"""What the file says."""


def _start(secret: Record) -> None:
    with LOCK, acting_for(secret):
        if not _may_start(secret):
            return
        # An incomplete rotation is retried with its own token.
        pending = labels.holder(secret, PENDING) if labels.rotation_is_pending(secret) else None
        rotation_driver.start(secret, pending or str(uuid.uuid4()), scheduled=True)
