"""All tenants and cells, by slug.

Leaves out reading files (`loading`) and the rules between them (`clashes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenancy.cell import Cell
from tenancy.fields import FrozenMapping
from tenancy.problems import Problem
from tenancy.tenant import Tenant


@dataclass(frozen=True)
class Fleet:
    """Every tenant and cell by slug. `notices` are warnings: they stop nothing."""

    tenants: Mapping[str, Tenant]
    cells: Mapping[str, Cell]
    notices: tuple[Problem, ...] = ()

    def cell_of(self, tenant: Tenant | str) -> Cell:
        """The cell that serves a tenant, given as model or slug. Raises KeyError for an unknown tenant."""
        slug = tenant if isinstance(tenant, str) else tenant.tenant
        return self.cells[self.tenants[slug].cell]

    def tenants_of(self, cell: Cell | str) -> tuple[Tenant, ...]:
        """The tenants that a cell serves, sorted by slug."""
        slug = cell if isinstance(cell, str) else cell.cell
        return tuple(tenant for _, tenant in sorted(self.tenants.items()) if tenant.cell == slug)


def assemble(tenants: Mapping[str, Tenant], cells: Mapping[str, Cell], notices: tuple[Problem, ...]) -> Fleet:
    return Fleet(FrozenMapping(tenants), FrozenMapping(cells), notices)
