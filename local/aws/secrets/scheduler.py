"""Rotates secrets by their schedules.

If the clock was moved past one or more windows, in which AWS would have rotated the secret, it is rotated at once, and
only once.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid

from local.aws.secrets import deletion, labels, plan, rotation_driver
from local.aws.secrets.labels import PENDING
from local.aws.secrets.store import LOCK, Record, acting_for, all_secrets, now

LOOK_SECONDS = 0.25

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
    """Starts each rotation that is due and deletes each secret whose recovery window is over."""
    moment = now()
    for secret in all_secrets():
        if plan.is_due(secret, moment):
            _start(secret)
    deletion.purge_expired()


def _start(secret: Record) -> None:
    with LOCK, acting_for(secret):
        if secret.get("_PrimarySecretArn") or rotation_driver.running(secret) is not None:
            return
        # An incomplete rotation is retried with its own token.
        pending = labels.holder(secret, PENDING) if labels.rotation_is_pending(secret) else None
        rotation_driver.start(secret, pending or str(uuid.uuid4()))
