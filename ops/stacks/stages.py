"""In which stages a fleet is worked through, and when failures end a run.

Owns the order, the canaries and the budget of failures. Pure. The order within a stage is by hash, so that a canary is
not always the customer whose name comes first, and the same on every machine, so that a second run meets the same one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

CANARY_SHARE: Final = 0.05


@dataclass(frozen=True)
class Stage:
    """`gate`: the next stage begins only if nothing failed in this one."""

    name: str
    stacks: tuple[str, ...]
    gate: bool


def stages(
    platforms: Collection[str], tenants: Collection[str], *, canary: bool, destroys: bool = False
) -> tuple[Stage, ...]:
    """Platforms before their tenants, which stand on them; the other way round where they are destroyed, since the
    tenants' keys are revoked by the platform's functions. With `canary` one tenant goes first, then one in twenty."""
    base = Stage("platforms", _ordered(platforms), gate=True)
    ordered = _ordered(tenants)
    few = math.ceil(len(ordered) * CANARY_SHARE)
    parts = (
        [("first tenant", ordered[:1]), ("one in twenty", ordered[1 : 1 + few]), ("the rest", ordered[1 + few :])]
        if canary
        else [("tenants", ordered)]
    )
    held = [Stage(name, stacks, gate=canary) for name, stacks in parts if stacks]
    if held:
        # What follows the last one is a platform that goes away, and it must not while a tenant stands on it.
        held[-1] = Stage(held[-1].name, held[-1].stacks, gate=destroys)
    every = [*held, base] if destroys else [base, *held]
    return tuple(stage for stage in every if stage.stacks)


def _ordered(stacks: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(stacks, key=lambda stack: hashlib.sha256(stack.encode()).digest()))


def why_to_stop(stage: Stage, failed_here: Sequence[str], failed: int, most: int) -> str | None:
    """Why no further stack may begin; None while one may. `failed_here` are the stacks of `stage` that failed, `failed`
    counts those of the whole run.

    A failure in a stage with a gate ends the run there and then: that is what a canary is for.
    """
    if stage.gate and failed_here:
        return f"{failed_here[0]} failed among `{stage.name}`, and what comes after waits until that is mended"
    if failed > most:
        return f"{failed} failed, and --max-failures is {most}"
    return None
