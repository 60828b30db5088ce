"""Runs both halves of a move: loads and checks the files, takes the lock, and calls the engine.

Leaves out the order of steps in the new cell (`move.py`) and the removal from the old cell (`leave_cell.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tenancy
from ops import journal, selection, ways_out
from ops.account import Account, checked_reason
from ops.actions import move, stack_states
from ops.actions.leave_cell import Leaving
from ops.actions.move import Move
from ops.actions.offboard import active_secret
from ops.actions.tenant_file import TenantFile
from ops.errors import OperationError
from tenancy import Cell, Tenant

_OPERATION: Final = "move"


@dataclass(frozen=True)
class Beginning:
    """The first half. `text` is the new text of the tenant's file; None where the file already names `cell`."""

    root: Path
    tenant: Tenant
    cell: Cell
    file: TenantFile
    text: str | None
    reason: str

    @property
    def stack(self) -> str:
        """The tenant's stack in the new cell."""
        return self.cell.names.tenant(self.tenant.tenant).stack

    @property
    def plan(self) -> list[str]:
        return move.plan(self.tenant, self.cell.cell, self.stack)

    @property
    def next_step(self) -> str:
        return move.next_step(self.tenant, self.cell.cell)


@dataclass(frozen=True)
class Finishing:
    """The second half. `checked`: the new cell has a key. False where the cells are in two accounts: not checked."""

    leaving: Leaving
    new_cell: Cell
    checked: bool


def prepare(root: Path, slug: str, to: str, reason: str, *, report: Callable[[str], None]) -> Beginning:
    """Changes nothing. Raises OperationError, also where the new cell has no platform, and TenancyError."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    move.destination(fleet, tenant, to)
    if tenant.has_identity:
        what = "it cannot move: its rule trusts the runtime of its own cell alone"
        raise OperationError(f"{ways_out.without_a_key(slug, what)} Nothing was changed.")
    file = TenantFile(root, slug)
    if tenant.cell == to:
        return Beginning(root, tenant, fleet.cells[to], file, None, why)
    text = file.moved(to)
    tenancy.load(root, only=slug, draft=text)
    stack_states.with_platform(fleet.cells[to], report)
    return Beginning(root, tenant, fleet.cells[to], file, text, why)


def begin(beginning: Beginning, *, report: Callable[[str], None]) -> str | None:
    """Deploys the tenant to the new cell, then changes the file. Returns the first key's version there; None where the
    tenant uses the customer's own key, or the file already names the cell. Raises OperationError; the same call then
    continues."""
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks import check_secrets
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.interrupting import left_to_the_engine
    from ops.stacks.settling import settled

    if beginning.text is None:
        return None
    cell, slug, stack = beginning.cell, beginning.tenant.tenant, beginning.stack
    with (
        journal.exclusive_run(cell, f"{_OPERATION}-{slug}"),
        Account(cell, _OPERATION, beginning.reason) as account,
    ):
        # A destroyed stack's project is archived, and its name cannot be used again.
        final = f", after which {slug} can never move to cell {cell.cell}" if beginning.tenant.minted else ""

        def deploy(text: str) -> int:
            report(f"pulumi up --stack {stack} …")
            with move.drafted(beginning.root, slug, text) as draft:
                try:
                    with left_to_the_engine():
                        engine = Engine(journal.logs(), draft)
                        return engine.up(stack, refresh=settled(engine, stack)).changed
                except OperationFailed as error:
                    raise OperationError(
                        f"{check_secrets.explained(draft, error)} Cell {beginning.tenant.cell} still serves {slug}. "
                        "Correct that, then run the same command again; or cancel the move with `pulumi destroy "
                        f"--stack {stack}`{final}."
                    ) from None

        return Move(account, beginning.tenant, beginning.file, beginning.text, deploy=deploy, report=report).run()


def prepare_finish(
    root: Path, slug: str, old: str, reason: str, *, unprotect: bool, report: Callable[[str], None]
) -> Finishing:
    """Changes nothing. Raises OperationError, also where the new cell has no key."""
    why = checked_reason(reason)
    fleet = tenancy.load(root)
    tenant = selection.one_tenant(fleet, slug)
    left = move.origin(fleet, tenant, old)
    old_cell, new_cell = fleet.cells[old], fleet.cell_of(tenant)
    one_account = new_cell.account_id == old_cell.account_id
    if one_account:
        with Account(new_cell, _OPERATION) as account:
            account.check()
            found = active_secret(account, tenant)
        if found is None or found.current is None:
            raise OperationError(
                f"cell {new_cell.cell} has no key of {slug} yet, so cell {old} is the only one that serves it. Nothing "
                f"was changed. `myflux-keys status --cell {new_cell.cell}` shows its state."
            )
    else:
        report(
            f"Not checked: whether cell {new_cell.cell}, in another account, has a key of {slug}. Check it with "
            "`status`."
        )
    leaving = Leaving(f"{_OPERATION}-finish", root, old_cell, left, None, why, unprotect)
    return Finishing(leaving, new_cell, checked=one_account)
