"""What `doctor` says of the health function, from what it remembers: a pure function.

Leaves out the troubles that it found, which it tells by itself.
"""

from __future__ import annotations

from typing import Final

from components.health_alarms import CYCLES
from functions.health.pace import CALLED_EVERY_MINUTES
from ops.actions.doctor import Finding, not_checked, ok, wrong
from ops.actions.health_memory import Memory

CHECK: Final = "health function"


def health(memory: Memory, every_minutes: int, log_group: str, now: float) -> Finding:
    """`now` in Unix seconds."""
    state = memory.state
    if memory.kind == "health_not_read":
        return not_checked(CHECK, memory.why, "look as somebody who deploys the cell, with a checkout of its version")
    if state is None:
        return not_checked(
            CHECK,
            f"it has not looked at the tenants yet; the schedule calls it every {CALLED_EVERY_MINUTES} minutes",
            "look again in some minutes",
        )
    if state.cycle_began - now > 60 * every_minutes:
        # Such a look would count as new until then, however long ago the function stopped.
        return not_checked(CHECK, "by this machine's clock its last look is still to come", "set this machine's clock")
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
