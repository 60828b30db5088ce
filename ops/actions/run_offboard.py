"""What an off-boarding starts from: whether anything is left to do, and whether the tenant lives in this cell alone.

Leaves out the leaving itself (`leave_cell.py`).
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
from ops.actions.offboard import elsewhere
from ops.actions.tenant_file import TenantFile
from tenancy import Cell, Fleet, Tenant, archive

_OPERATION: Final = "offboard"


@dataclass(frozen=True)
class Offboarding:
    """`archived` is where the tenant's file is or goes. `leaving` is None where it was off-boarded already."""

    archived: Path
    leaving: Leaving | None


def prepare(root: Path, slug: str, reason: str, *, unprotect: bool, tell: Callable[[str], None]) -> Offboarding:
    """Changes nothing. Raises OperationError and TenancyError."""
    why = checked_reason(reason)
    archived = archive.place(root, slug)
    file = TenantFile(root, slug)
    if os.path.lexists(archived) and not file.path.exists():
        return Offboarding(archived, None)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    cell = fleet.cell_of(tenant)
    _refuse_if_elsewhere(fleet, cell, tenant, tell)
    return Offboarding(archived, Leaving(_OPERATION, root, cell, tenant, file, why, unprotect))


def _refuse_if_elsewhere(fleet: Fleet, cell: Cell, tenant: Tenant, tell: Callable[[str], None]) -> None:
    """Raises OperationError where the tenant lives in another cell too."""
    others = [other for slug, other in sorted(fleet.cells.items()) if slug != cell.cell]
    apart = [other.cell for other in others if other.account_id != cell.account_id]
    if apart:
        tell(f"Not looked at, in other accounts: cells {', '.join(apart)}.")
    with ExitStack() as stack:
        near = [other for other in others if other.account_id == cell.account_id]
        elsewhere(tenant, [stack.enter_context(Account(other, _OPERATION)) for other in near])
