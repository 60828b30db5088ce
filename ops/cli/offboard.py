"""`myflux-keys offboard`: ends a tenant for good."""

from __future__ import annotations

from functools import partial

from ops.actions import leave_cell, run_offboard
from ops.cli import ask, options, output


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
    secret can be restored until AWS's recovery window ends, without a valid key unless it is the customer's own. Commit
    the file's move to tenants/archive/.
    """
    found = run_offboard.prepare(fleet.resolve(), tenant, reason, unprotect=unprotect, report=output.step)
    facts: dict[str, object] = {"tenant": tenant}
    if found.leaving is None:
        output.result(
            facts | {"archived": str(found.archived), "steps": []},
            f"{tenant} was off-boarded already: its file is {found.archived}. AWS and OpenAI were not checked now.",
            as_json=as_json,
        )
    elif dry_run:
        plan = leave_cell.steps(found.leaving)
        output.result(facts | {"dry_run": True, "plan": plan}, "Would:\n" + output.numbered(plan), as_json=as_json)
    else:
        confirmed = partial(ask.confirmed, f"End {tenant} ({found.leaving.tenant.name}) for good?", yes=yes)
        done = leave_cell.leave(found.leaving, confirmed=confirmed, report=output.step)
        output.result(
            facts | {"archived": str(found.archived), "steps": done, "reason": found.leaving.reason},
            f"{tenant} is off-boarded. Commit the move of its file to {found.archived}.",
            as_json=as_json,
        )
