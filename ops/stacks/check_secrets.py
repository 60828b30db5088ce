"""Checks a stack's secrets, and whom its role for readers trusts, before the engine runs; explains AWS's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tenancy
from functions.provisioner.project import ProjectArchived
from functions.sweep.trust import dead_trust
from ops import ways_out
from ops.account import Account
from ops.stacks import secret_state
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    # It loads Pulumi's SDK, a third of a second, which the reports that ask for trust alone do not need.
    from ops.stacks.engine import Engine, OperationFailed

_NO_FUNCTION: Final = re.compile(r"Function not found: \S*:function:(?P<name>[\w-]+)")

_NOBODY: Final = re.compile(r"Invalid principal in policy: \W*AWS\W+(?P<name>[\w:/+=,.@-]+)")

_UNKNOWN: Final = re.compile(r"unknown stack")
"""In the engine's error where a tenant's stack refers to a platform that is not deployed."""


def owners(root: Path, stack: str) -> tuple[Cell, Tenant | None] | None:
    """The cell and tenant of `stack`; None where the files do not have them or are wrong, which the program reports."""
    slug, _, cell = stack.rpartition(".")
    try:
        fleet = tenancy.load(root, only=slug)
    except tenancy.TenancyError:
        return None
    tenant = fleet.tenants.get(slug)
    if cell not in fleet.cells or (slug and (tenant is None or tenant.cell != cell)):
        return None
    return fleet.cells[cell], tenant


def differing(root: Path, stack: str, engine: Engine, operation: str) -> list[str]:
    """How the stack's secrets, and its role for readers, differ from the files, as phrases. Raises OperationError where
    a person must decide before the stack can be deployed, and botocore's errors."""
    owner = owners(root, stack)
    if owner is None:
        return []
    cell, tenant = owner
    with Account(cell, operation) as account:
        return in_aws(account, cell, tenant, lambda arn: in_state(engine, stack, arn))


def in_aws(account: Account, cell: Cell, tenant: Tenant | None, has: Callable[[str], bool]) -> list[str]:
    """As `differing`, of a stack whose state `has` the secret of an ARN."""
    secrets = [
        f"{place.secret}: {difference}"
        for place in secret_state.places(cell, tenant)
        for difference in secret_state.differences_in_aws(account.secrets, place, has)
    ]
    dead = [found for role in readers_roles(cell, tenant) if (found := dead_trust(account.roles, role))]
    return [*secrets, *(ways_out.deleted_trusted(one.role, one.ids) for one in dead)]


def readers_roles(cell: Cell, tenant: Tenant | None) -> list[str]:
    """The roles in a stack that read tenants' keys: of a tenant's, or, for None, of the platform's."""
    if tenant is None:
        return [cell.names.runtime_role, *([cell.names.handover_role] if cell.handover else [])]
    return [cell.names.tenant(tenant.tenant).dedicated_role] if tenant.isolation == "dedicated" else []


def in_state(engine: Engine, stack: str, id_: str) -> bool:
    """Whether the stack's state holds a resource of that id."""
    resources: list[dict[str, Any]] = (engine.peek(stack) or {}).get("resources") or []
    return any(resource.get("id") == id_ for resource in resources)


def explained(root: Path, error: OperationFailed) -> str:
    """The engine's error, and what a person can do about it where that is known."""
    return " ".join(filter(None, [way_out(root, error.stack, error.output + error.explanation), str(error)]))


def way_out(root: Path, stack: str, output: str) -> str:
    """What a person can do about the error in the engine's `output`; empty where that is not known."""
    owner = owners(root, stack)
    if owner is None:
        return ""
    cell, tenant = owner
    if "ResourceExistsException" in output:
        for place in secret_state.places(cell, tenant):
            if place.secret in output:
                return (
                    ways_out.unknown_to_the_stack(place.adopted, place.secret, stack)
                    if place.adopted
                    else f"the secret {place.secret} exists, but it is not in the state of stack {stack}: {place.anew}"
                )
    if "for deletion" in output:
        blocked = [place for place in secret_state.places(cell, tenant) if place.secret in output]
        if blocked and not blocked[0].adopted:
            return ways_out.name_blocked(blocked[0].secret, blocked[0].anew)
        if tenant is not None:
            return ways_out.deletion_scheduled(tenant.tenant, minted=tenant.minted)
    if tenant is not None and ProjectArchived.__name__ in output:
        return ways_out.another_slug(tenant.tenant)
    if tenant is not None and _UNKNOWN.search(output):
        return f"{ways_out.no_platform(cell.cell)}."
    if nobody := _NOBODY.search(output):
        return ways_out.nobody_trusted(nobody["name"], cell.cell)
    if gone := _NO_FUNCTION.search(output):
        return ways_out.function_gone(gone["name"], cell.cell)
    return ""
