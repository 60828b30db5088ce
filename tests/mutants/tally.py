"""What became of mutants, counted.

Owns the count of a part of one stack, which a process of its own can make. Leaves out the run (`__main__`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.mutants.harmless import reason
from tests.mutants.hunt import caught, config, mutants_of, stack_of

CHUNKS = 16


@dataclass
class Tally:
    """`made` and `caught` count by a resource's type, `harmless` by reason; `survivors` have none."""

    made: Counter[str] = field(default_factory=Counter[str])
    caught: Counter[str] = field(default_factory=Counter[str])
    harmless: Counter[str] = field(default_factory=Counter[str])
    survivors: list[str] = field(default_factory=list[str])

    def add(self, other: Tally) -> None:
        self.made += other.made
        self.caught += other.caught
        self.harmless += other.harmless
        self.survivors += other.survivors


def hunted(name: str, chunk: int) -> Tally:
    """One part of a stack's mutants; each process rehearses the stack for itself."""
    tally, resources = Tally(), stack_of(name)
    for mutant in list(mutants_of(name))[chunk::CHUNKS]:
        type_ = mutant.original.type.rpartition(":")[2]
        tally.made[type_] += 1
        if caught(mutant, resources, config(name)):
            tally.caught[type_] += 1
        elif found := reason(mutant):
            tally.harmless[found.because] += 1
        else:
            tally.survivors.append(f"{name}: {mutant}")
    return tally
