"""`myflux-keys adopt`: imports an existing project and secret, with their key, into a tenant's stack."""

from __future__ import annotations

from typing import Any

from ops.actions import run_adopt
from ops.cli import ask, options, output
from ops.cli.table import iso, when


def adopt(
    tenant: options.Tenant,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Import an existing OpenAI project and secret, and keep the secret's key until the tenant's next rotation slot.

    It needs three things. The tenant's file. A secret called myflux/CELL/TENANT/openai in the cell's account and
    Region, the name that readers use; if its deletion is scheduled, it is restored. And as the secret's value a JSON
    object with the fields schema (1), tenant, api_key, key_id, project_id, service_account_id, organization_id,
    base_url, models (the default first), minted_at and expires_at (ISO 8601, UTC). With `source: customer` it has
    "source": "customer", and the ids and expires_at may be empty. With `source: managed`, the key's project is called
    myflux-CELL-TENANT at OpenAI: rename it first if it is not.

    A function checks the value, and shows it to nobody; --dry-run has it checked too, before anything is changed.
    Readers can read all the time. If the command is stopped, run it again to continue. If the key is revoked or
    expired, a new one is requested.
    """
    root = fleet.resolve()
    if dry_run:
        planned = run_adopt.planned(root, tenant)
        facts = _facts(tenant, planned) | {"dry_run": True, "plan": planned.steps, "notices": planned.notices}
        plan = "\n".join([output.numbered(planned.steps), *planned.notices])
        output.result(facts, f"Would:\n{plan}", as_json=as_json)
        return

    def confirmed(secret: str) -> bool:
        return ask.confirmed(f"Adopt {secret} with its present value?", yes=yes)

    done = run_adopt.adopt(root, tenant, confirmed=confirmed, report=output.step)
    notices = list(done.notices)
    if done.ends_early:
        notices.append(
            f"The key ends on {done.ends_early}, before its next slot ({when(done.next_rotation)}): run `myflux-keys "
            f"rotate {tenant}` before that day."
        )
    for notice in notices:
        output.step(notice)
    next_key = f" Its next key comes in the slot of {when(done.next_rotation)}." if done.next_rotation else ""
    output.result(
        _facts(tenant, done)
        | {
            "dry_run": False,
            "version_id": done.version,
            "key_id": done.key_id,
            "next_rotation": iso(done.next_rotation),
            "changed": done.changed,
            "notices": notices,
        },
        f"{tenant} is adopted. {done.kept}{next_key}",
        as_json=as_json,
    )


def _facts(tenant: str, adoption: run_adopt.Planned | run_adopt.Adopted) -> dict[str, Any]:
    return {"tenant": tenant, "secret": adoption.names.secret, "stack": adoption.names.stack}
