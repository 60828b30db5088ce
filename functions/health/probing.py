"""Which tenants get a billed call in this cycle, and of which model.

Owns the rule. A call that succeeds costs the tenant's organization money, so it is made only where OpenAI's usage shows
no other traffic, once a day at most, never for a disabled tenant, nor with a key that may only read. A refused call
costs nothing, so it is repeated each cycle until it succeeds: that is how the end of a trouble is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from myflux_keys.declaration import Declaration

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Traffic:
    """`requests` of the tenant's own in the last hours, this function's calls taken out; None: not visible."""

    requests: int | None

    @property
    def word(self) -> str:
        """Without traffic nothing is known about its success: no rate is 0 % or 100 %."""
        return "unknown" if self.requests is None else "traffic" if self.requests > 0 else "no traffic"


def probe_due(
    declaration: Declaration, traffic: Traffic, *, called_at: float | None, refused: bool, now: float
) -> bool:
    """`called_at`: the last call that was not refused. `refused`: the last call was refused. Unknown traffic counts as
    none for a customer's key, which shows no usage. Where usage should be visible and is not, no call is made."""
    if not declaration.enabled or declaration.permission == "read_only":
        return False
    if refused:
        return True
    if traffic.requests or (traffic.requests is None and declaration.minted):
        return False
    return called_at is None or now - called_at >= DAY_SECONDS


def probe_model(declaration: Declaration, now: float) -> str:
    """The default model on every other day, and the others in turn on the days between."""
    default, *others = declaration.models
    day = int(now // DAY_SECONDS)
    return default if day % 2 == 0 or not others else others[day // 2 % len(others)]
