"""`myflux-keys disable` and `enable`: deny a tenant's readers within seconds, and allow them again."""

from __future__ import annotations

import os
from pathlib import Path

import tenancy
from ops import selection
from ops.account import Account
from ops.actions.access import Access, is_open
from ops.actions.tenant_file import TenantFile
from ops.cli import options, output
from ops.errors import OperationError
from ops.journal import folder


def disable(
    tenant: options.Tenant,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Deny a tenant's readers within seconds. Its key stays valid and still rotates; nothing is deleted.

    Writes `enabled: false` to the tenant's file, denies reads in the secret's policy, then runs `pulumi up` on the
    tenant's stack, so that file, AWS and state agree. Commit the file.
    """
    _switch(tenant, fleet.resolve(), enabled=False, dry_run=dry_run, as_json=as_json)


def enable(
    tenant: options.Tenant,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Allow a tenant's readers again: reverses `disable`, with the same steps."""
    _switch(tenant, fleet.resolve(), enabled=True, dry_run=dry_run, as_json=as_json)


def _switch(slug: str, fleet: Path, *, enabled: bool, dry_run: bool, as_json: bool) -> None:
    held = tenancy.load(fleet)
    tenant = selection.one_tenant(held, slug)
    cell = held.cell_of(tenant)
    file = TenantFile(fleet, slug)
    stack = cell.names.tenant(slug).stack
    word = "allowed" if enabled else "denied"
    with Account(cell, "enable" if enabled else "disable") as account:
        account.check()
        access = Access(account.secrets, cell, tenant)
        facts: dict[str, object] = {
            "tenant": slug,
            "enabled": enabled,
            "file": str(file.path),
            "file_changes": tenant.enabled is not enabled,
            "policy_changes": is_open(access.policy()) is not enabled,
            "dry_run": dry_run,
        }
        if dry_run:
            output.result(facts, _plan(slug, stack, facts), as_json=as_json)
            return
        if file.set_enabled(enabled):
            output.step(f"{file.path}: enabled: {str(enabled).lower()}")
        changed = access.switch(enabled=enabled)
        output.step(f"reads of {slug} are {word}{'' if changed else ' already'}")
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks.engine import Engine, OperationFailed

    os.environ["MYFLUX_FLEET"] = str(fleet)
    output.step(f"pulumi up --stack {stack} …")
    try:
        outcome = Engine(folder(cell) / "engine").up(stack)
    except OperationFailed as error:
        raise OperationError(
            f"Reads of {slug} are {word} in AWS and in the file, but not yet in Pulumi's state. {error} "
            f"Correct that, then run the same command again or `pulumi up --stack {stack}`."
        ) from None
    facts["stack_changes"] = outcome.changed
    with Account(cell, "enable" if enabled else "disable") as account:
        Access(account.secrets, cell, tenant).check(enabled=enabled)
    output.result(
        facts, f"{slug} is {'enabled' if enabled else 'disabled'}: file, AWS and state agree.", as_json=as_json
    )


def _plan(slug: str, stack: str, facts: dict[str, object]) -> str:
    wanted = str(facts["enabled"]).lower()
    steps = [
        f"write `enabled: {wanted}` to {facts['file']}" if facts["file_changes"] else "",
        f"{'allow' if facts['enabled'] else 'deny'} reads of {slug} in AWS" if facts["policy_changes"] else "",
        f"run pulumi up --stack {stack}, which also deploys every other change of its files since the last up",
    ]
    return "Would " + ", then ".join(step for step in steps if step) + "."
