"""`myflux-keys adopt`: an existing project and secret come under a tenant's stack, with the key that they have."""

from __future__ import annotations

from typing import Any

from ops.actions import adopting
from ops.cli import ask, options, output
from ops.cli.table import iso, when


def adopt(
    tenant: options.Tenant,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Take over an OpenAI project and a secret that exist already, with the key in it: no new one before its next slot.

    The secret has the name that readers look for, and holds a payload of this tenant's. A function looks at it and
    tells no value. Readers are served throughout. Stopped anywhere, the same command goes on. A secret whose deletion
    is scheduled is taken back; where it holds no key that lives, a new one is asked for.
    """
    root = fleet.resolve()
    if dry_run:
        planned = adopting.planned(root, tenant)
        facts = _facts(tenant, planned) | {"dry_run": True, "plan": planned.steps, "notices": planned.notices}
        told = "\n".join([output.numbered(planned.steps), *planned.notices])
        output.result(facts, f"Would:\n{told}", as_json=as_json)
        return

    def confirmed(secret: str) -> bool:
        return ask.confirmed(f"Adopt {secret} as it is?", yes=yes)

    done = adopting.adopt(root, tenant, confirmed=confirmed, tell=output.step)
    notices = list(done.notices)
    if done.dies_early:
        notices.append(
            f"The key ends on {done.dies_early}, before its next slot ({when(done.next_rotation)}): `myflux-keys "
            f"rotate {tenant}` in time."
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


def _facts(tenant: str, of: adopting.Planned | adopting.Adopted) -> dict[str, Any]:
    return {"tenant": tenant, "secret": of.names.secret, "stack": of.names.stack}
