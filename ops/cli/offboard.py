"""`myflux-keys offboard`: a tenant leaves for good."""

from __future__ import annotations

import os
from contextlib import ExitStack

import tenancy
from ops import selection
from ops.account import Account, checked_reason
from ops.actions.offboard import elsewhere
from ops.actions.tenant_file import TenantFile
from ops.cli import leaving, options, output
from ops.cli.leaving import Leaving
from tenancy import Cell, Fleet, Tenant, archive

OPERATION = "offboard"


def offboard(
    tenant: options.Tenant,
    yes: options.Yes = False,
    unprotect: options.Unprotect = False,
    reason: options.Reason = "",
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """End a tenant for good: readers denied, keys revoked, secret deleted, project archived, slug never used again.

    The steps run in this order, so a run that is stopped leaves no access; run the same command again to continue. The
    secret can be restored until AWS's recovery window ends, without a valid key. Commit the file's move to
    tenants/archive/.
    """
    why = checked_reason(reason)
    root = fleet.resolve()
    kept = archive.place(root, tenant)
    file = TenantFile(root, tenant)
    if os.path.lexists(kept) and not file.path.exists():
        output.result(
            {"tenant": tenant, "archived": str(kept), "steps": []},
            f"{tenant} was off-boarded before: its file is {kept}. AWS and OpenAI were not checked now.",
            as_json=as_json,
        )
        return
    held = tenancy.load(root)
    chosen = selection.one_tenant(held, tenant)
    cell = held.cell_of(chosen)
    _whole(held, cell, chosen)
    question = f"End {tenant} ({chosen.name}) for good?"
    asked = Leaving(OPERATION, root, cell, chosen, file, question, why, yes, unprotect)
    if dry_run:
        told = leaving.steps(asked)
        output.result(
            {"tenant": tenant, "dry_run": True, "plan": told}, "Would:\n" + output.numbered(told), as_json=as_json
        )
        return
    done = leaving.leave(asked)
    output.result(
        {"tenant": tenant, "archived": str(kept), "steps": done, "reason": why},
        f"{tenant} is off-boarded. Commit the move of its file to {kept}.",
        as_json=as_json,
    )


def _whole(held: Fleet, cell: Cell, tenant: Tenant) -> None:
    """Raises OperationError where the tenant lives in another cell too."""
    others = [other for slug, other in sorted(held.cells.items()) if slug != cell.cell]
    apart = [other.cell for other in others if other.account_id != cell.account_id]
    if apart:
        output.step(f"Not checked, because they are in other accounts: cells {', '.join(apart)}.")
    with ExitStack() as stack:
        near = [other for other in others if other.account_id == cell.account_id]
        elsewhere(tenant, [stack.enter_context(Account(other, OPERATION)) for other in near])
