"""Whether the 2,000th tenant of a cell costs more than the 10th: time of `pulumi up` and memory of its processes.

Three cells run at the same time, one for each size, and every round adds a tenant to each of them, one after another,
so other load on the machine affects all sizes equally. Growth is the larger of two ratios: of the medians and of the
shortest times. Afterwards the peer adds a tenant in the same cells, up to a size that takes it only minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench import crowd, for_each, stage
from bench.figures import Figure, at_most, number
from bench.measure import PeakMemory, spread

SIZES: Final = (10, 100, 2_000)
ROUNDS: Final = 7
QUICK: Final = ((3, 5), 1)
GROWTH: Final = 1.1
"""The largest allowed ratio of the largest size's figure to the smallest size's."""
PEER_MOST: Final = 100
PEER_ROUNDS: Final = 3
RATIO: Final = "the larger ratio, of medians or of quickest samples"


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes four to eight minutes, and some more with the peer. The cells are in `home` while they run. `quick` only
    tests that it works."""
    sizes, rounds = QUICK if quick else (SIZES, ROUNDS)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    memory: dict[int, list[float]] = {size: [] for size in sizes}
    with ExitStack() as cells:
        stages: dict[int, stage.Stage] = {}
        for size in sizes:
            stages[size] = cells.enter_context(stage.opened(home / f"growth-{size}"))
            # The last rounds go past the number of projects that OpenAI gives an organization.
            stages[size].cell.openai.settings(max_projects=size + rounds)
            stages[size].add_tenant("bench-0000")
            # The middle round then adds the `size`-th tenant.
            crowd.fill(stages[size], "bench-0000", [f"bench-{i:04d}" for i in range(1, first(size, rounds))])
        for turn in range(rounds):
            for size in rotated(sizes, turn):
                with PeakMemory() as peak:
                    times[size].append(stages[size].add_tenant(f"bench-{first(size, rounds) + turn:04d}"))
                if peak.mebibytes is not None:
                    memory[size].append(peak.mebibytes)
        theirs, peer = beside({size: stages[size] for size in sizes if size <= PEER_MOST}, 1 if quick else PEER_ROUNDS)
    return figures(times, memory, theirs, peer)


def beside(stages: Mapping[int, stage.Stage], rounds: int) -> tuple[dict[int, list[float]], str]:
    """The peer's seconds for one more tenant, by size; and the peer's name, or the reason why it is not available."""
    theirs: dict[int, list[float]] = {}
    peer = ""
    for size, here in stages.items():
        workspace, peer = for_each.opened(here)
        if workspace:
            workspace.apply(size - 1)
            theirs[size] = [for_each.one_more(workspace, size + turn) for turn in range(rounds)]
    return theirs, peer


def first(size: int, rounds: int) -> int:
    """The number of tenants in a cell before the first round, so that the middle round adds the `size`-th."""
    return max(size - 1 - rounds // 2, 1)


def rotated(sizes: Sequence[int], turn: int) -> list[int]:
    """The order of sizes in a round. Each round begins with another size, so that none always runs first."""
    shift = turn % len(sizes)
    return [*sizes[shift:], *sizes[:shift]]


def figures(
    times: Mapping[int, Sequence[float]],
    memory: Mapping[int, Sequence[float]],
    theirs: Mapping[int, Sequence[float]],
    peer: str,
) -> list[Figure]:
    """Pure: the table's lines for samples by size, in seconds and MiB. `theirs` is empty if the peer is not available;
    `peer` is then the reason."""
    least, most = min(times), max(times)
    lines = [
        Figure(
            f"up of tenant {size:,}",
            round(spread(taken).median, 2),
            "s",
            peer=_beside(theirs, size, peer),
            note=str(spread(taken)),
        )
        for size, taken in sorted(times.items())
    ]
    small, large = spread(times[least]), spread(times[most])
    # Other load can only lengthen a sample. It must not hide growth of the medians.
    ratio = max(large.median / small.median, large.least / small.least)
    lines.append(
        at_most(
            f"up of tenant {most:,} over tenant {least:,}",
            round(ratio, 2),
            "times",
            GROWTH,
            peer=_grown(theirs, peer),
            note=f"{RATIO}; {crowd.NOTE}",
        )
    )
    # The maximum of all rounds, since one round may miss a peak between two readings.
    peaks = {size: max(seen) for size, seen in memory.items() if seen}
    if least in peaks and most in peaks:
        lines += [
            Figure(f"memory of tenant {size:,}'s up", round(peak), "MiB", note="sum of all processes of the engine")
            for size, peak in sorted(peaks.items())
        ]
        growth = round(peaks[most] / peaks[least], 2)
    else:
        growth = None
    lines.append(at_most(f"memory of tenant {most:,}'s up over tenant {least:,}'s", growth, "times", GROWTH))
    return lines


def _beside(theirs: Mapping[int, Sequence[float]], size: int, peer: str) -> str:
    if not theirs:
        return peer
    if size not in theirs:
        return ""
    taken = spread(theirs[size])
    return f"{peer}, for_each: {number(round(taken.median, 2))} s ({taken})"


def _grown(theirs: Mapping[int, Sequence[float]], peer: str) -> str:
    if not theirs:
        return peer
    least, most = min(theirs), max(theirs)
    ratio = spread(theirs[most]).median / spread(theirs[least]).median
    return f"{peer}, for_each: {number(round(ratio, 2))} times from {least:,} to {most:,}, larger sizes not tried"
