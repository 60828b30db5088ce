"""How far the rotations are that a move of the clock has made due.

The AWS side writes a file, beside the clock's; this reads it. Leaves out what is due (`aws/secrets/scheduler.py`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "rotations"
_LOOK_SECONDS: Final = 0.1
_ROUNDING: Final = 0.01
"""The clock's file has milliseconds."""


@dataclass(frozen=True)
class Rotations:
    """Numbers of secrets. `clock` is the offset in seconds that they are about. `failed` ones are tried again in their
    next window."""

    clock: float = -1.0
    waiting: int = 0
    under_way: int = 0
    failed: int = 0

    @property
    def left(self) -> int:
        return self.waiting + self.under_way


def read(home: Path) -> Rotations:
    """`home` is the cell's folder. `clock` is -1 before the AWS side has looked once."""
    try:
        return Rotations(**json.loads((home / FILE).read_text(encoding="ascii")))
    except FileNotFoundError:
        return Rotations()


def settled(home: Path, clock: float, seconds: float, report: Callable[[Rotations], None]) -> Rotations:
    """Waits at most `seconds` until no rotation is left that is due at the offset `clock`. Calls `report` while some
    are."""
    give_up = time.monotonic() + seconds
    while True:
        found = read(home)
        seen = found.clock >= clock - _ROUNDING
        if (seen and not found.left) or time.monotonic() >= give_up:
            return found
        if seen:
            report(found)
        time.sleep(_LOOK_SECONDS)
