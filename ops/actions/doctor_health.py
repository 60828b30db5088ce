"""What `doctor` says of the health function, from what it remembers: a pure function.

Leaves out the troubles that it found, which it tells by itself.
"""

from __future__ import annotations

from typing import Final

from components.health_alarms import CYCLES
from functions.health.pace import CALLED_EVERY_MINUTES
from functions.health.state import State
from ops.actions.doctor import Finding, not_checked, ok, wrong

CHECK: Final = "health function"


def health(state: State | None, every_minutes: int, log_group: str, now: float) -> Finding:
    """`state` None: it has not remembered anything yet. `now` in Unix seconds."""
    if state is None:
        return not_checked(
            CHECK,
            f"it has not looked at the tenants yet; the schedule calls it every {CALLED_EVERY_MINUTES} minutes",
            "look again in some minutes",
        )
    minutes = max(0, round((now - state.cycle_began) / 60))
    last = f"it last looked {minutes} min ago, at {_some(len(state.tenants), 'tenant')}"
    if minutes > CYCLES * every_minutes:
        return wrong(CHECK, f"{last}; it should every {every_minutes} min", f"`aws logs tail {log_group} --since 12h`")
    if state.unsent:
        return wrong(
            CHECK,
            f"{last}; {_some(len(state.unsent), 'message')} could not be sent to the alarms' topic",
            f"`aws logs tail {log_group} --since 12h --filter-pattern health.unsent`",
        )
    troubles = sum(len(one.open) for one in state.histories.values())
    return ok(CHECK, f"{last}; {_some(troubles, 'open trouble')}")


def _some(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
