"""The stages of a run over many stacks, and when failures end the run. Pure."""

# Within a stage, stacks are sorted by hash: the canary is not always the customer whose name is first in the alphabet,
# and it is the same in a second run.

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

CANARY_SHARE: Final = 0.05


@dataclass(frozen=True)
class Stage:
    """`gate`: the next stage begins only if nothing failed in this one. `canary`: a stack that nobody could work on is
    replaced by one of a later stage, and closes no gate."""

    name: str
    stacks: tuple[str, ...]
    gate: bool
    canary: bool = False


def stages(
    platforms: Collection[str], tenants: Collection[str], *, canary: bool, destroys: bool = False
) -> tuple[Stage, ...]:
    """Platforms before their tenants, which need them; the reverse for a destroy, since the platform's functions revoke
    the tenants' keys. With `canary` 1 tenant goes first, then 5% of the tenants, then the others."""
    base = Stage("platforms", _ordered(platforms), gate=True)
    ordered = _ordered(tenants)
    few = math.ceil(len(ordered) * CANARY_SHARE)
    parts = (
        [("first tenant", ordered[:1]), ("5% of tenants", ordered[1 : 1 + few]), ("other tenants", ordered[1 + few :])]
        if canary
        else [("tenants", ordered)]
    )
    # In a destroy each failure counts: a stack that is left still needs its platform.
    trial = canary and not destroys
    staged = [Stage(name, stacks, gate=canary, canary=trial) for name, stacks in parts if stacks]
    if staged:
        # In a destroy the platforms follow: none may be destroyed while a tenant still needs it.
        staged[-1] = Stage(staged[-1].name, staged[-1].stacks, gate=destroys)
    every = [*staged, base] if destroys else [base, *staged]
    return tuple(stage for stage in every if stage.stacks)


def _ordered(stacks: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(stacks, key=lambda stack: hashlib.sha256(stack.encode()).digest()))


def why_to_stop(stage: Stage, failed_here: Sequence[str], failed: int, most: int) -> str | None:
    """Why no further stack may start; None while one may. `failed_here` are the stacks of `stage` that failed, `failed`
    counts those of the whole run.

    A failure in a stage with a gate ends the run at once: that is the purpose of a canary.
    """
    if stage.gate and failed_here:
        return f"{failed_here[0]} failed in the stage `{stage.name}`, and later stages run only if it succeeds"
    if failed > most:
        return f"{failed} failed, and --max-failures is {most}"
    return None
