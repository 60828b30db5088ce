"""The order in which a cell's stacks are deployed and destroyed."""

from __future__ import annotations

from collections.abc import Iterable

from tenancy import Cell, Fleet


def deploy_order(fleet: Fleet, cell: Cell) -> list[str]:
    """The platform's stack before the stacks of its tenants, which need it."""
    return [cell.names.stack, *tenant_stacks(fleet, cell)]


def destroy_order(fleet: Fleet, cell: Cell) -> list[str]:
    """Tenants before the platform: their keys are revoked by its functions."""
    return [*tenant_stacks(fleet, cell), cell.names.stack]


def tenant_stacks(fleet: Fleet, cell: Cell) -> list[str]:
    tenants: Iterable[str] = sorted(tenant.tenant for tenant in fleet.tenants_of(cell.cell))
    return [cell.names.tenant(tenant).stack for tenant in tenants]
