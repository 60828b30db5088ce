"""Settings of Secrets Manager's behaviour, by environment variable.

Each is read when it is needed, so a process can change it between two operations.
"""

from __future__ import annotations

import os

FIRST_VERSION_CURRENT = "MYFLUX_LOCAL_FIRST_VERSION_CURRENT"
"""``1``: the first version of an empty secret gets AWSCURRENT whatever labels were asked for, as AWS's reference of
PutSecretValue says. ``0``: it gets just the labels asked for, as some users of AWS have seen."""
ROTATION_ATTEMPTS = "MYFLUX_LOCAL_ROTATION_ATTEMPTS"
"""How often a whole rotation is tried. AWS says "multiple times" and no number."""
ROTATION_RETRY_SECONDS = "MYFLUX_LOCAL_ROTATION_RETRY_SECONDS"
"""Seconds of real time between two attempts. AWS spaces them over the rotation window."""
THROTTLED_SECONDS = "MYFLUX_LOCAL_THROTTLED_SECONDS"
"""Seconds of real time that a rotation waits in all while Lambda has no execution free. AWS: up to six hours."""
ROTATION_TOKEN = "MYFLUX_LOCAL_ROTATION_TOKEN"  # noqa: S105 (a variable's name)
"""``1``: the function's event has a RotationToken; ``0``: it hasn't, as before AWS introduced it."""


def first_version_current() -> bool:
    return _flag(FIRST_VERSION_CURRENT)


def rotation_token() -> bool:
    return _flag(ROTATION_TOKEN)


def rotation_attempts() -> int:
    attempts = int(os.environ.get(ROTATION_ATTEMPTS, "5"))
    if attempts < 1:
        raise ValueError(f"{ROTATION_ATTEMPTS} must be at least 1, got {attempts}")
    return attempts


def rotation_retry_seconds() -> float:
    seconds = float(os.environ.get(ROTATION_RETRY_SECONDS, "0.5"))
    if seconds < 0:
        raise ValueError(f"{ROTATION_RETRY_SECONDS} must be at least 0, got {seconds}")
    return seconds


def throttled_seconds() -> float:
    return float(os.environ.get(THROTTLED_SECONDS, "600"))


def _flag(name: str) -> bool:
    value = os.environ.get(name, "1")
    if value not in {"0", "1"}:
        raise ValueError(f"{name} must be 1 or 0, got {value}")
    return value == "1"
