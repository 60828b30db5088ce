"""The local cell's clock: the machine's time plus an offset that a test or a person can move forward.

The offset is in a file, so that the AWS and the OpenAI side, separate processes, have the same time.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

ENVIRONMENT = "MYFLUX_LOCAL_CLOCK"
"""Names the file that holds the offset in seconds. Without it the clock is the machine's."""


def offset() -> float:
    path = os.environ.get(ENVIRONMENT)
    return _held(Path(path)) if path else 0.0


def at(path: Path) -> float:
    """Seconds since the epoch on the clock of the cell that keeps it at `path`."""
    return time.time() + _held(path)


def _held(path: Path) -> float:
    try:
        return float(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0


def now() -> float:
    """Seconds since the epoch on the cell's clock."""
    return time.time() + offset()


def advance(path: Path, seconds: float) -> float:
    """Moves the clock kept at `path` forward and returns the new offset. A cell's clock never runs backwards."""
    if seconds < 0:
        raise ValueError(f"the clock can only move forward, got {seconds} s: expired keys would become valid again")
    held = float(path.read_text(encoding="ascii")) if path.exists() else 0.0
    replacement = path.with_suffix(".new")
    replacement.write_text(f"{held + seconds:.3f}", encoding="ascii")
    replacement.replace(path)
    return held + seconds
