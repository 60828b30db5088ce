"""Prepares an off-boarding: checks that it is not done already, and that no other cell has the tenant's secret.

Leaves out the steps (`leave_cell.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tenancy
from ops import selection
from ops.account import Account, checked_reason
from ops.actions.leave_cell import Leaving
from ops.actions.offboard import refuse_if_secret_in
from ops.actions.tenant_file import TenantFile
from tenancy import Cell, Fleet, Tenant, archive

_OPERATION: Final = "offboard"


@dataclass(frozen=True)
class Offboarding:
    """`archived` is the path of the tenant's file in the archive. `leaving` is None where it was off-boarded
    already."""

    archived: Path
    leaving: Leaving | None


def prepare(root: Path, slug: str, reason: str, *, unprotect: bool, report: Callable[[str], None]) -> Offboarding:
    """Changes nothing. Raises OperationError and TenancyError."""
    why = checked_reason(reason)
    archived = archive.place(root, slug)
    file = TenantFile(root, slug)
    if os.path.lexists(archived) and not file.path.exists():
        return Offboarding(archived, None)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    cell = fleet.cell_of(tenant)
    _refuse_if_in_other_cell(fleet, cell, tenant, report)
    return Offboarding(archived, Leaving(_OPERATION, root, cell, tenant, file, why, unprotect))


def _refuse_if_in_other_cell(fleet: Fleet, cell: Cell, tenant: Tenant, report: Callable[[str], None]) -> None:
    """Raises OperationError where the tenant has a secret in another cell too."""
    others = [other for slug, other in sorted(fleet.cells.items()) if slug != cell.cell]
    apart = [other.cell for other in others if other.account_id != cell.account_id]
    if apart:
        report(f"Not checked, because they are in other accounts: cells {', '.join(apart)}.")
    with ExitStack() as stack:
        near = [other for other in others if other.account_id == cell.account_id]
        unseen = refuse_if_secret_in([stack.enter_context(Account(other, _OPERATION)) for other in near], tenant)
    if unseen:
        report(f"Not checked, because your rights do not reach them: cells {', '.join(unseen)}.")
