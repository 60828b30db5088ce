"""Which stacks a command works on: by tenant, by cell, or all of them.

Reads no more files than the choice needs. Leaves out what changed (`changed`) and the order (`stages`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import tenancy
from ops import selection, ways_out
from ops.errors import OperationError
from tenancy import Fleet

UNKNOWN_CELL: Final = "?"
"""In the name of a stack that is left out, where the earlier file of its tenant cannot be read. Every cell's pipeline
reports it."""


@dataclass(frozen=True)
class Choice:
    """`tenants` maps a stack to its tenant's slug. `why` holds reasons by stack, where there are any. `left_out` maps
    stacks that are not deployed to the reason and what to do. `by_name` is False with --all, --cell or --changed."""

    platforms: tuple[str, ...]
    tenants: Mapping[str, str]
    by_name: bool = False
    why: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def stacks(self) -> list[str]:
        return [*self.platforms, *self.tenants]


def only_one(tenants: Sequence[str], cell: str | None, everyone: bool, changed: str | None) -> None:
    """Raises OperationError unless exactly one way to choose was used. --cell may also limit --changed."""
    if sum((bool(tenants), everyone, cell is not None and changed is None, changed is not None)) != 1:
        raise OperationError(
            "give tenants by name, or --cell CELL, or --all, or --changed REF: exactly one of the four. Only --cell "
            "and --changed may be combined."
        )


def by_name(root: Path, slugs: Sequence[str]) -> Choice:
    """Tenants given by slug. Reads only their files. Raises OperationError and TenancyError."""
    fleet = tenancy.load(root, only=list(dict.fromkeys(slugs)))
    for slug in slugs:
        selection.one_tenant(fleet, slug)
    return Choice((), tenant_stacks(fleet, slugs), by_name=True)


def by_cell(root: Path, cell: str | None) -> Choice:
    """Platforms and tenants of one cell, or of all cells with None."""
    fleet = tenancy.load(root)
    cells = selection.cells(fleet, cell)
    slugs = [tenant.tenant for one in cells for tenant in fleet.tenants_of(one)]
    return Choice(tuple(one.names.stack for one in cells), tenant_stacks(fleet, slugs))


def within(chosen: Choice, cell: str) -> Choice:
    """The stacks of `chosen` that belong to the cell: each cell may have its own pipeline."""

    def of_it(stack: str) -> bool:
        return selection.cell_of(stack) in (cell, UNKNOWN_CELL)

    return replace(
        chosen,
        platforms=tuple(filter(of_it, chosen.platforms)),
        tenants={stack: slug for stack, slug in chosen.tenants.items() if of_it(stack)},
        why={stack: why for stack, why in chosen.why.items() if of_it(stack)},
        left_out={stack: why for stack, why in chosen.left_out.items() if of_it(stack)},
    )


def deployed(chosen: Choice, with_state: Collection[str] | None) -> Choice:
    """`chosen` without stacks that have no state, which cannot be refreshed or destroyed. `with_state` is None where
    the states cannot be read."""
    if with_state is None:
        return chosen
    return replace(
        chosen,
        platforms=tuple(stack for stack in chosen.platforms if stack in with_state),
        tenants={stack: slug for stack, slug in chosen.tenants.items() if stack in with_state},
    )


def on_platforms(chosen: Choice, has_state: Callable[[str], bool | None]) -> Choice:
    """`chosen` without tenants whose cell has no platform, neither deployed nor chosen: their stacks cannot be made.
    `has_state` returns None where that is not known. Raises OperationError for tenants that were given by name."""
    cells = {stack: selection.cell_of(stack) for stack in chosen.tenants}
    missing = {cell for cell in set(cells.values()) - set(chosen.platforms) if has_state(cell) is False}
    if chosen.by_name and missing:
        raise OperationError(". ".join(map(ways_out.no_platform, sorted(missing))) + ". Nothing was changed.")
    return replace(
        chosen,
        tenants={stack: slug for stack, slug in chosen.tenants.items() if cells[stack] not in missing},
        left_out={
            **chosen.left_out,
            **{stack: ways_out.no_platform(cell) for stack, cell in cells.items() if cell in missing},
        },
    )


def refuse_to_strand(chosen: Choice, with_state: Collection[str] | None) -> None:
    """Raises OperationError where a platform would be destroyed before a tenant that needs it."""
    for cell in chosen.platforms:
        left = sorted(s for s in with_state or () if selection.cell_of(s) == cell and s not in chosen.stacks)
        if left:
            raise OperationError(
                f"the platform of cell {cell} cannot be destroyed, because these stacks need it and have no file in "
                f"tenants/: {', '.join(left[:5])}. Restore their files, so that their keys "
                "are revoked too. Nothing was changed."
            )


def tenant_stacks(fleet: Fleet, slugs: Collection[str]) -> dict[str, str]:
    return {fleet.cell_of(slug).names.tenant(slug).stack: slug for slug in sorted(set(slugs))}
