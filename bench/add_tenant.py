"""Adds one tenant to 200: `pulumi up` of its stack, and `terraform apply` of one state with all tenants.

Both use the same emulator, alternately, in the same minutes. Our AWS provider is the local one, since the real plugin
is not available offline; the table says so. The peer creates less: no OpenAI project, service account or limits, and no
first key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import crowd, for_each, stage
from bench.figures import Figure, at_most, number
from bench.measure import PeakMemory, spread

TENANTS: Final = 200
TURNS: Final = 5
TIME: Final = 1 / 4
MEMORY: Final = 1 / 3
"""Of the peer's, at most: Terraform looks at every tenant of its state to add one."""
STAND_IN: Final = "our AWS provider is a stand-in, the peer's is the real one"
MADE: Final = (
    f"{STAND_IN}; same emulator, in turns; ours also makes the OpenAI project with its limits and starts the first "
    "rotation, theirs also writes a secret version"
)
OF_A_RUN: Final = f"sum over the processes of one run; {STAND_IN}"


@dataclass
class Samples:
    """Seconds of each round, and the most MiB of all rounds; None if memory cannot be read."""

    seconds: list[float] = field(default_factory=list[float])
    mebibytes: float | None = None

    def take(self, act: Callable[[], float]) -> None:
        with PeakMemory() as memory:
            self.seconds.append(act())
        seen = [peak for peak in (self.mebibytes, memory.mebibytes) if peak is not None]
        self.mebibytes = max(seen, default=None)


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes ten minutes with the peer, two without. `quick` only tests that it works. `home` has the cell."""
    tenants, turns = (3, 1) if quick else (TENANTS, TURNS)
    with stage.opened(home / "add-tenant") as here:
        here.add_tenant("bench-0000")
        crowd.fill(here, "bench-0000", [f"bench-{i:04d}" for i in range(1, tenants)])
        workspace, told = for_each.opened(here)
        if workspace:
            workspace.apply(tenants)
        fleet, typed, theirs = Samples(), Samples(), Samples()
        for turn in range(turns):
            fleet.take(lambda turn=turn: here.add_tenant(f"bench-{tenants + turn:04d}"))
            typed.take(lambda turn=turn: here.type_tenant(f"typed-{turn:04d}"))
            if workspace:
                theirs.take(lambda wanted=tenants + turn + 1: for_each.one_more(workspace, wanted))
    return figures(tenants, fleet, typed, theirs if workspace else None, told)


def figures(tenants: int, fleet: Samples, typed: Samples, theirs: Samples | None, peer: str) -> list[Figure]:
    """Pure: the table's lines for these samples. `theirs` is None if the peer is not available; `peer` is then the
    reason."""
    here, by_hand = spread(fleet.seconds), spread(typed.seconds)
    limit, peaks, told, held = None, None, peer, peer
    if theirs is not None:
        there = spread(theirs.seconds)
        limit, told = round(there.median, 2), f"{peer}: {number(there.median)} s ({there})"
        if theirs.mebibytes is not None:
            peaks = round(theirs.mebibytes)
            held = f"{peer}: {number(peaks)} MiB"
    memory = None if fleet.mebibytes is None else round(fleet.mebibytes)
    return [
        _compared(f"one tenant added to {tenants}", round(here.median, 2), "s", limit, told, f"{here}; {MADE}", TIME),
        _compared(
            f"one tenant added to {tenants}, typed, preview first",
            round(by_hand.median, 2),
            "s",
            limit,
            told,
            f"{by_hand}; `pulumi stack init`, `pulumi up --yes`; {MADE}",
        ),
        _compared(f"memory while one tenant is added to {tenants}", memory, "MiB", peaks, held, OF_A_RUN, MEMORY),
    ]


def _compared(
    name: str, value: float | None, unit: str, theirs: float | None, peer: str, note: str, share: float = 1.0
) -> Figure:
    """The goal is at most this share of the peer's figure."""
    if theirs is None:
        of = "" if share == 1 else f"1/{round(1 / share)} of "
        return Figure(name, value, unit, f"<= {of}Terraform's", None, peer, note)
    return at_most(name, value, unit, round(share * theirs, 2), peer=peer, note=note)
