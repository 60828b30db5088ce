"""The states of several cells' stacks, each cell's in its own backend.

Leaves out which backend is whose (`ops/state_place.py`) and how one is read (`backend`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tenancy
from ops import state_place
from ops.selection import cell_of
from ops.stacks import backend


@dataclass(frozen=True)
class States:
    """`urls` maps each cell's slug to the address of its backend."""

    urls: Mapping[str, str]

    @property
    def places(self) -> list[str]:
        """Each address once."""
        return sorted(set(self.urls.values()))

    @cached_property
    def names(self) -> set[str] | None:
        """The stacks that have a state; None if one of the backends can only be read by the engine."""
        found = [backend.stacks(url) for url in self.places]
        read = [names for names in found if names is not None]
        return set[str]().union(*read) if len(read) == len(found) else None

    def has(self, stack: str) -> bool | None:
        """Whether the stack has a state; None for a backend that only the engine can read."""
        return backend.has(self.urls[cell_of(stack)], stack)


def of(fleet: Path, stacks: Collection[str]) -> States:
    """Of the cells of `stacks`. Raises OperationError and TenancyError."""
    cells = tenancy.load(fleet, only="").cells
    return States({slug: state_place.of(cells.get(slug)).url for slug in sorted(set(map(cell_of, stacks)))})
