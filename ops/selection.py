"""Which tenants an operation works on, by the tenant and cell files, and whose stack has which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import tenancy
from ops import ways_out
from ops.errors import OperationError
from tenancy import Cell, Fleet, Tenant


@dataclass(frozen=True)
class Selection:
    """Tenants of one cell, sorted by slug; `left_out` maps the others to the reason."""

    cell: Cell
    tenants: tuple[Tenant, ...]
    left_out: dict[str, str]


def cell_of(stack: str) -> str:
    """The slug of the cell in the name of its stack, or of a tenant's."""
    return stack.rpartition(".")[2]


def files_of(root: Path, slugs: Sequence[str]) -> Fleet:
    """For an operation on `slugs` alone, which a mistake in another tenant's file must not stop, least of all after a
    leak. Raises TenancyError."""
    found = tenancy.load(root, only=list(slugs))
    # An unknown slug is told with the one that it resembles.
    return found if found.tenants.keys() >= set(slugs) else tenancy.load(root)


def one_tenant(fleet: Fleet, slug: str) -> Tenant:
    """Raises OperationError."""
    if slug in fleet.tenants:
        return fleet.tenants[slug]
    near = get_close_matches(slug, fleet.tenants, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise OperationError(f"there is no tenant `{slug}`: tenants/ has no file {slug}.yaml.{hint} Nothing was changed.")


def cells(fleet: Fleet, cell: str | None) -> list[Cell]:
    """The cell named, or all of them. Raises OperationError."""
    if cell is None:
        return [found for _, found in sorted(fleet.cells.items())]
    if cell not in fleet.cells:
        known = ", ".join(sorted(fleet.cells)) or "none"
        raise OperationError(f"there is no cell `{cell}`: cells/ has {known}. Nothing was changed.")
    return [fleet.cells[cell]]


def by_cell(fleet: Fleet, tenants: Sequence[str], cell: str | None) -> dict[str, list[str] | None]:
    """By cell: the chosen tenants, or None for all. Raises OperationError."""
    if not tenants:
        return {one.cell: None for one in cells(fleet, cell)}
    chosen: dict[str, list[str] | None] = {}
    for tenant in (one_tenant(fleet, slug) for slug in dict.fromkeys(tenants)):
        if cell is not None and tenant.cell != cell:
            raise OperationError(
                f"{tenant.tenant} is in cell {tenant.cell}, not in {cell}: leave out --cell, or name another tenant. "
                "Nothing was changed."
            )
        chosen[tenant.cell] = [*(chosen.get(tenant.cell) or []), tenant.tenant]
    return chosen


def to_rotate(fleet: Fleet, slugs: Sequence[str], *, everyone: bool, cell: str | None) -> list[Selection]:
    """By cell. Exactly one of `slugs`, `everyone` and `cell` is given. Raises OperationError.

    A tenant with the customer's own key is left out with --all and --cell, and refused when it was given by name.
    """
    if sum((bool(slugs), everyone, cell is not None)) != 1:
        raise OperationError("give tenants by name, or --cell CELL, or --all: exactly one of the three.")
    chosen = (
        [one_tenant(fleet, slug) for slug in dict.fromkeys(slugs)]
        if slugs
        else [tenant for one in cells(fleet, cell) for tenant in fleet.tenants_of(one)]
    )
    left_out = {tenant.tenant: why for tenant in chosen if (why := not_rotated(tenant))}
    if slugs and left_out:
        raise OperationError("\n".join(f"{slug}: {why}" for slug, why in left_out.items()) + "\nNothing was changed.")
    found: list[Selection] = []
    for one in cells(fleet, None):
        here = sorted((t for t in chosen if t.cell == one.cell), key=lambda tenant: tenant.tenant)
        if here:
            managed = tuple(tenant for tenant in here if tenant.tenant not in left_out)
            found.append(Selection(one, managed, {t.tenant: left_out[t.tenant] for t in here if t.tenant in left_out}))
    if not any(selection.tenants for selection in found):
        raise OperationError(
            "there is nothing to rotate: each of these tenants uses the customer's own key, or has none."
        )
    return found


def not_rotated(tenant: Tenant) -> str | None:
    """Why a tenant's key cannot be rotated here; None when it can."""
    if not tenant.has_key:
        return ways_out.without_a_key(tenant.tenant, "there is nothing to rotate")
    if tenant.minted:
        return None
    return (
        "its key is the customer's own, and only they can make a new one: ask them for it, then `myflux-keys key set "
        f"{tenant.tenant}`"
    )
