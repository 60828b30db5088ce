"""Which stacks a command is about: by tenant, by cell, or all of them.

Owns the choice, and reading no more files than it needs. Leaves out what changed (`changed`) and the order (`stages`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tenancy
from ops import selection
from ops.errors import OperationError
from tenancy import Fleet


@dataclass(frozen=True)
class Choice:
    """`tenants` maps a stack to its tenant's slug. `why` holds reasons by stack, where there are any. `left_out` maps
    what is not worked on to the reason and the way out. `by_name` is False for what --all, --cell or --changed find."""

    platforms: tuple[str, ...]
    tenants: Mapping[str, str]
    by_name: bool = False
    why: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def stacks(self) -> list[str]:
        return [*self.platforms, *self.tenants]


def only_one(tenants: Sequence[str], cell: str | None, everyone: bool, changed: str | None) -> None:
    """Raises OperationError unless just one way to choose was used. A cell may narrow what changed."""
    if sum((bool(tenants), everyone, cell is not None and changed is None, changed is not None)) != 1:
        raise OperationError(
            "say which stacks: tenants by name, or --cell CELL, or --all, or --changed REF; just one of the four, but "
            "--cell may narrow --changed."
        )


def by_name(root: Path, slugs: Sequence[str]) -> Choice:
    """Tenants that a person named. Only their files are read. Raises OperationError and TenancyError."""
    fleet = tenancy.load(root, only=list(dict.fromkeys(slugs)))
    for slug in slugs:
        selection.one_tenant(fleet, slug)
    return Choice((), tenant_stacks(fleet, slugs), by_name=True)


def by_cell(root: Path, cell: str | None) -> Choice:
    """A whole cell, or with None all of them: every platform and every tenant."""
    fleet = tenancy.load(root)
    cells = selection.cells(fleet, cell)
    slugs = [tenant.tenant for one in cells for tenant in fleet.tenants_of(one)]
    return Choice(tuple(one.names.stack for one in cells), tenant_stacks(fleet, slugs))


def within(chosen: Choice, cell: str) -> Choice:
    """What of it is the cell's: where each cell is deployed by somebody of its own."""

    def of_it(stack: str) -> bool:
        return stack.rpartition(".")[2] == cell

    return replace(
        chosen,
        platforms=tuple(filter(of_it, chosen.platforms)),
        tenants={stack: slug for stack, slug in chosen.tenants.items() if of_it(stack)},
        why={stack: why for stack, why in chosen.why.items() if of_it(stack)},
        left_out={stack: why for stack, why in chosen.left_out.items() if of_it(stack)},
    )


def deployed(chosen: Choice, standing: Collection[str] | None) -> Choice:
    """Without the stacks that have no state: nothing can be read back or destroyed there. `standing` is None where that
    is not known."""
    if standing is None:
        return chosen
    return replace(
        chosen,
        platforms=tuple(stack for stack in chosen.platforms if stack in standing),
        tenants={stack: slug for stack, slug in chosen.tenants.items() if stack in standing},
    )


def refuse_to_strand(chosen: Choice, standing: Collection[str] | None) -> None:
    """Raises OperationError where a platform would go while a tenant stands on it that nothing was said about."""
    for cell in chosen.platforms:
        left = sorted(s for s in standing or () if s.rpartition(".")[2] == cell and s not in chosen.stacks)
        if left:
            raise OperationError(
                f"{cell}'s platform can't go while {', '.join(left[:5])} stand on it and have no file in tenants/: put "
                "their files back, so that their keys are ended too. Nothing was changed."
            )


def tenant_stacks(fleet: Fleet, slugs: Collection[str]) -> dict[str, str]:
    return {fleet.cell_of(slug).names.tenant(slug).stack: slug for slug in sorted(set(slugs))}
