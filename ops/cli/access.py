"""`myflux-keys disable` and `enable`: deny a tenant's readers within seconds, and allow them again."""

from __future__ import annotations

from pathlib import Path

from ops.actions.switch_access import Switched, switch
from ops.cli import options, output


def disable(
    tenant: options.Tenant,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Deny a tenant's readers within seconds. Its key stays valid and still rotates; nothing is deleted.

    Writes `enabled: false` to the tenant's file, denies reads in the secret's policy, then runs `pulumi up` on the
    tenant's stack, so that file, AWS and state agree. Commit the file. Of a tenant without a key the stack deletes the
    federation rule: tokens that are out end within 15 minutes.
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


def _switch(slug: str, root: Path, *, enabled: bool, dry_run: bool, as_json: bool) -> None:
    done = switch(root, slug, enabled=enabled, dry=dry_run, report=output.step)
    facts: dict[str, object] = {
        "tenant": slug,
        "enabled": enabled,
        "file": str(done.file),
        "file_changes": done.file_changes,
        "policy_changes": done.policy_changes,
        "dry_run": dry_run,
    }
    if dry_run:
        output.result(facts, _plan(slug, done, enabled=enabled), as_json=as_json)
        return
    output.result(
        facts | {"stack_changes": done.stack_changes},
        f"{slug} is {'enabled' if enabled else 'disabled'}: file, AWS and state agree.",
        as_json=as_json,
    )


def _plan(slug: str, found: Switched, *, enabled: bool) -> str:
    steps = [
        f"write `enabled: {str(enabled).lower()}` into {found.file}" if found.file_changes else "",
        f"{'allow' if enabled else 'deny'} reads of {slug} in AWS" if found.policy_changes else "",
        f"run pulumi up --stack {found.stack}, which also deploys every other change of its files",
    ]
    return "Would " + ", then ".join(step for step in steps if step) + "."
