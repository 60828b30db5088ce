"""One budget of Admin API calls a cell, shared by everything of ours that calls: functions and commands.

Owns the shares. Leaves out waiting for a turn (`functions/sweep/pace.py`, `ops/actions/pace.py`). Measured by a
provider author in May 2026 at 7 to 10 calls a minute and endpoint; the lower number is the budget. A rotation makes one
call on each of three endpoints, a sweep one a tenant on one of them, so both are counted in turns. No ledger is kept:
Secrets Manager's own record tells which secrets rotate, whoever began it: a slot, a first rotation, a command on
another machine.
"""

from __future__ import annotations

from typing import Final

CALLS_PER_MINUTE: Final = 7
"""Of one endpoint of the Admin API, for one organization."""
WINDOW_SECONDS: Final = 61.0
"""OpenAI refills about 60 s after a window's first call; one more, because a started function calls a little later."""
_SWEEP_KEEPS: Final = 1
"""Turns a minute that rotations leave, so that a sweep gets on however many there are. A sweep leaves no record, and
rotations could not make room for it otherwise."""
ROTATIONS_PER_MINUTE: Final = CALLS_PER_MINUTE - _SWEEP_KEEPS
"""What a command may start in any minute, less what else of the cell rotates in it."""


def sweeps_a_minute(rotations: int) -> int:
    """Tenants that a sweep may look at in a minute in which `rotations` of the cell run."""
    return max(CALLS_PER_MINUTE - rotations, _SWEEP_KEEPS)


def counts_against_budget(*, pending: bool, changed_at: float | None, rotated_at: float | None, now: float) -> bool:
    """Whether a secret's rotation has called OpenAI in the window before `now` (Unix seconds, all of them).

    `pending`: a version is AWSPENDING and not live. A failed rotation leaves it so for long, but no longer counts.
    """
    since = now - WINDOW_SECONDS
    return (rotated_at is not None and rotated_at > since) or (
        pending and changed_at is not None and changed_at > since
    )
