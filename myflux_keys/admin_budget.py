"""The budget of Admin API calls in a cell, which all functions and commands share.

Owns the shares. Leaves out waiting (`functions/sweep/pace.py`, `ops/actions/pace.py`). A provider author measured 7 to
10 calls a minute and endpoint in May 2026; the lower number is the budget. A rotation makes one call on each of three
endpoints, and a sweep one call for each tenant on one of them, so a rotation and a swept tenant each count as one. The
calls are not recorded: Secrets Manager shows which secrets rotate, whoever started the rotation.
"""

from __future__ import annotations

from typing import Final

CALLS_PER_MINUTE: Final = 7
"""For one endpoint of the Admin API and one organization."""
WINDOW_SECONDS: Final = 61.0
"""OpenAI refills about 60 s after a window's first call; one more, because a started function calls a little later."""
_SWEEP_KEEPS: Final = 1
"""Calls a minute that rotations leave to a sweep, so that it continues during many rotations. A sweep leaves no record,
so rotations cannot see it."""
ROTATIONS_PER_MINUTE: Final = CALLS_PER_MINUTE - _SWEEP_KEEPS
"""Rotations that a command may start in a minute, minus the cell's other rotations in it."""


def sweeps_a_minute(rotations: int) -> int:
    """Tenants that a sweep may inspect in a minute in which `rotations` of the cell run."""
    return max(CALLS_PER_MINUTE - rotations, _SWEEP_KEEPS)


def counts_against_budget(*, pending: bool, changed_at: float | None, rotated_at: float | None, now: float) -> bool:
    """Whether a secret's rotation has called OpenAI in the window before `now` (Unix seconds, all of them).

    `pending`: a version is AWSPENDING and not live. A failed rotation leaves it so for long, but no longer counts.
    """
    since = now - WINDOW_SECONDS
    return (rotated_at is not None and rotated_at > since) or (
        pending and changed_at is not None and changed_at > since
    )
