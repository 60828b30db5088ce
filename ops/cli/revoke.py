"""`myflux-keys revoke`: a key has leaked."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from ops.actions import revoking
from ops.actions.end_keys import Seen
from ops.cli import ask, options, output


def revoke(
    tenant: options.Tenant,
    yes: options.Yes = False,
    reason: Annotated[
        str, typer.Option(help="Why, for the record: CloudTrail and `history` show it.", show_default=False)
    ] = "",
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """End every key of a tenant now, and give it a new one: for a key that has leaked.

    Readers are refused first, then every key dies at OpenAI, also those that only old versions of the secret hold, then
    a new one is made, then readers are let in. Stopped anywhere, it leaves the door shut; the same command goes on.
    Exit code 1 where a key that the secret holds still answers, in another project or the customer's own.
    """
    confirmed = partial(ask.confirmed, f"End every key of {tenant} now?", yes=yes)
    done = revoking.revoke(fleet, tenant, reason, confirmed=confirmed, tell=output.step)
    seen = done.seen
    if seen.foreign:
        output.step(
            f"not touched, because neither made here nor held by the secret: {', '.join(seen.foreign)}. If one of "
            f"these has leaked, delete it on OpenAI's site, in project {done.project}."
        )
    pasted = "".join(f" {one.hint} now." for one in done.tenant.consumers.used if one.hint)
    output.result(
        {
            "tenant": tenant,
            "version_id": done.version,
            "key_id": seen.current,
            "readable": done.readable,
            "steps": done.steps,
            "reason": done.reason,
            "foreign": list(seen.foreign),
            "beyond": [asdict(key) for key in seen.beyond],
        },
        sentence(tenant, done.version, seen) + pasted,
        as_json=as_json,
    )
    if seen.beyond:
        output.fail(
            "\n  ".join([f"keys that the secret of {tenant} holds still answer:", *(b.told() for b in seen.beyond)])
        )


def sentence(tenant: str, version: str, seen: Seen) -> str:
    """Of the last look, and no more than that."""
    others = "" if seen.beyond else ", and refuses every other that a version of its secret holds"
    return (
        f"{tenant} has a new key, {seen.current} (version {version}). OpenAI lists no other key of its own as alive"
        f"{others}."
    )
