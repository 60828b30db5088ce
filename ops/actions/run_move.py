"""Both halves of a move: what each starts from, and the parts that do it put together.

Owns the engine and the lock. Leaves out the order of steps in the new cell (`move.py`) and leaving the old one
(`leave_cell.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tenancy
from ops import journal, selection
from ops.account import Account, checked_reason
from ops.actions import move
from ops.actions.leave_cell import Leaving
from ops.actions.move import Move
from ops.actions.offboard import living_secret
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import Cell, Tenant

_OPERATION: Final = "move"


@dataclass(frozen=True)
class Beginning:
    """The first half. `text` is the tenant's file as it will be, and None where it names `cell` already."""

    root: Path
    tenant: Tenant
    cell: Cell
    file: TenantFile
    text: str | None
    reason: str

    @property
    def stack(self) -> str:
        """The tenant's in the new cell."""
        return self.cell.names.tenant(self.tenant.tenant).stack

    @property
    def plan(self) -> list[str]:
        return move.plan(self.tenant, self.cell.cell, self.stack)

    @property
    def next_step(self) -> str:
        return move.next_step(self.tenant, self.cell.cell)


@dataclass(frozen=True)
class Finishing:
    """The second half. `looked`: whether the new cell was seen to hold a key, which takes both cells in one account."""

    leaving: Leaving
    new_cell: Cell
    looked: bool


def prepare(root: Path, slug: str, to: str, reason: str) -> Beginning:
    """Changes nothing. Raises OperationError and TenancyError."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    move.destination(fleet, tenant, to)
    file = TenantFile(root, slug)
    if tenant.cell == to:
        return Beginning(root, tenant, fleet.cells[to], file, None, why)
    text = file.moved(to)
    tenancy.load(root, only=slug, draft=text)
    return Beginning(root, tenant, fleet.cells[to], file, text, why)


def begin(beginning: Beginning, *, tell: Callable[[str], None]) -> str | None:
    """Makes the new cell serve, then changes the file. The first key's version there; None where only the customer can
    bring one, or nothing was to do. Raises OperationError; the same call then goes on."""
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine

    if beginning.text is None:
        return None
    cell, slug, stack = beginning.cell, beginning.tenant.tenant, beginning.stack
    with (
        journal.alone(cell, f"{_OPERATION}-{slug}") as place,
        Account(cell, _OPERATION, beginning.reason) as account,
    ):

        def deploy(text: str) -> int:
            tell(f"pulumi up --stack {stack} …")
            try:
                with move.drafted(beginning.root, slug, text) as draft, left_to_the_engine():
                    return Engine(place / "engine", draft).up(stack).changed
            except OperationFailed as error:
                raise OperationError(
                    f"{error} Cell {beginning.tenant.cell} serves {slug} as before. Put that right, then run the same "
                    f"command again; to give it up, `pulumi destroy --stack {stack}`."
                ) from None

        return Move(account, beginning.tenant, beginning.file, beginning.text, deploy=deploy, tell=tell).run()


def prepare_finish(
    root: Path, slug: str, old: str, reason: str, *, unprotect: bool, tell: Callable[[str], None]
) -> Finishing:
    """Changes nothing. Raises OperationError, also where the new cell is seen to have no key."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    left = move.origin(fleet, tenant, old)
    old_cell, new_cell = fleet.cells[old], fleet.cell_of(tenant)
    together = new_cell.account_id == old_cell.account_id
    if together:
        with Account(new_cell, _OPERATION) as account:
            account.check()
            found = living_secret(account, tenant)
        if found is None or found.current is None:
            raise OperationError(
                f"cell {new_cell.cell} has no key of {slug} yet, so cell {old} is the only one that serves it. Nothing "
                f"was changed. `myflux-keys status --cell {new_cell.cell}` shows how it stands."
            )
    else:
        tell(f"Not checked: whether cell {new_cell.cell}, in another account, has a key of {slug}. Look with `status`.")
    leaving = Leaving(f"{_OPERATION}-finish", root, old_cell, left, None, why, unprotect)
    return Finishing(leaving, new_cell, looked=together)
