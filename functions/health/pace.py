"""When a call by the schedule works, and when it ends at once. Pure.

The schedule calls the function more often than a cycle is due, so that a cycle which ran out of time, or whose
invocation died, soon goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from functions.health.state import State

CALLED_EVERY_MINUTES: Final = 10
_EARLY_SECONDS: Final = 30.0 * CALLED_EVERY_MINUTES
"""How much earlier a cycle may begin: calls come seconds apart from their time. Half of the time between two calls."""


def waits(state: State, every_seconds: float, now: float) -> str:
    """Why a call has nothing to do; empty if it has. `every_seconds` 0: a cycle is due at once."""
    if state.running_until > now:
        return "another invocation is running"
    unfinished = state.cursor is not None or state.running_until > 0
    due = state.cycle_began + every_seconds - _EARLY_SECONDS
    return "" if unfinished or every_seconds == 0 or now >= due else "the next cycle is not due yet"
