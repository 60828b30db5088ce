"""What the deletion of a cell's bootstrap decides, as pure functions: what still lives behind it, and what is left.

Leaves out the calls (`run_bootstrap_deletion`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.actions.bootstrap import PROVIDER
from ops.errors import OperationError
from tenancy import Cell


@dataclass(frozen=True)
class Behind:
    """What still needs the cell's boundaries, key or bucket. `tenants` have a file, `stacks` a state, `others` too, of
    another project, `secrets` are not scheduled for deletion, `roles` have one of the boundaries."""

    tenants: Sequence[str] = ()
    stacks: Sequence[str] = ()
    others: Sequence[str] = ()
    secrets: Sequence[str] = ()
    roles: Sequence[str] = ()


def refuse_while_used(cell: Cell, behind: Behind) -> None:
    """Raises OperationError, with the next command to type."""
    slug = cell.cell
    if behind.tenants:
        found = f"cell {slug} has tenants: {_few(behind.tenants)}"
        way_out = f"`myflux-keys offboard {behind.tenants[0]}` ends one, with its keys"
    elif others := [stack for stack in behind.stacks if stack != slug]:
        found = f"there are stacks in its state: {_few(others)}"
        way_out = f"`myflux-keys destroy {others[0].rpartition('.')[0]}` ends one, with its keys"
    elif behind.stacks:
        found = f"the platform of cell {slug} is deployed"
        unprotect = f"`pulumi state unprotect --all --stack {slug}` (after `myflux-keys env {slug}`), then "
        way_out = f"{unprotect if cell.production else ''}`myflux-keys destroy --cell {slug}` ends it"
    elif behind.others:
        found = f"{cell.names.state_bucket} keeps states of other projects: {_few(behind.others)}"
        way_out = "destroy those stacks, or move their states (docs/state.md)"
    elif behind.secrets:
        found = f"these secrets may hold valid keys: {_few(behind.secrets)}"
        way_out = (
            "`myflux-keys sweep` knows whose they are; `aws secretsmanager delete-secret` schedules their deletion"
        )
    elif behind.roles:
        found = f"these roles have a boundary of this cell: {_few(behind.roles)}"
        way_out = "delete them, or end the stacks that made them"
    else:
        return
    raise OperationError(f"{found}. {way_out}. Nothing was changed.")


def used_providers(resources: Iterable[Mapping[str, Any]], roles: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """URNs of the OIDC providers of the stack that other roles trust, with those roles' names. `roles` are pairs of a
    name and a trust policy's text."""
    trusts = list(roles)
    found: dict[str, list[str]] = {}
    for one in resources:
        if one["type"] == PROVIDER and (by := [name for name, trust in trusts if f'"{one["id"]}"' in trust]):
            found[str(one["urn"])] = by
    return found


def keys(held: Mapping[str, Any]) -> list[str]:
    """Ids of the KMS keys in the state."""
    resources: list[Mapping[str, Any]] = held.get("resources") or []
    return [str(one["id"]) for one in resources if one["type"] == "aws:kms/key:Key"]


def without(deployment: Mapping[str, Any], urns: Collection[str]) -> dict[str, Any]:
    """The state without these resources, on which no other depends."""
    return {**deployment, "resources": [one for one in deployment["resources"] if one["urn"] not in urns]}


def unprotected(deployment: Mapping[str, Any]) -> dict[str, Any]:
    return {**deployment, "resources": [{**one, "protect": False} for one in deployment["resources"]]}


def plan(cell: Cell) -> list[str]:
    names = cell.names
    return [
        f"move the bootstrap's own state from s3://{names.state_bucket} to a folder of this machine",
        f"delete every version of every object of {names.state_bucket}",
        f"delete the bucket, role and policy {names.people_role}, and the boundary {names.boundary_policy}",
        "delete the OIDC provider, if the bootstrap made it and no other role trusts it",
        f"schedule the deletion of the key behind {names.state_kms_alias}",
        "look that nothing of it is left",
    ]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}"
