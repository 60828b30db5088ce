"""Whether the roles that read a cell's keys trust users and roles that exist, and what to do if they do not.

Owns which roles are looked at for `status`, and the sentence. Leaves out the look itself (`functions/sweep/trust.py`).
Why such a role trusts ids: docs/adr/0036.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from functions.sweep.trust import DeadTrust, dead_trust
from ops import ways_out
from ops.account import Account
from ops.actions.orphans import RUNBOOK
from ops.stacks.check_secrets import readers_roles
from tenancy import Cell, Tenant


def readers(cell: Cell, tenants: Iterable[Tenant]) -> Mapping[str, str | None]:
    """The roles that read the cell's keys, each with the tenant whose own it is, None for the platform's."""
    owners: list[Tenant | None] = [None, *tenants]
    return {role: one and one.tenant for one in owners for role in readers_roles(cell, one)}


def cell_trust(account: Account, tenants: Iterable[Tenant]) -> list[DeadTrust]:
    """Of the roles that read the cell's keys. Raises botocore's errors."""
    found = (dead_trust(account.roles, role, tenant) for role, tenant in readers(account.cell, tenants).items())
    return [one for one in found if one is not None]


def way_out(cell: str, dead: DeadTrust) -> str:
    """The command after which the role trusts who is there now."""
    return f"`myflux-keys up {dead.tenant}`" if dead.tenant else f"`pulumi up --refresh --stack {cell}`"


def sentence(cell: str, dead: DeadTrust) -> str:
    whose = f"the keys of {dead.tenant}" if dead.tenant else "tenants' keys"
    return (
        f"{ways_out.deleted_trusted(dead.role, dead.ids)}: nobody reads {whose} as that user or role, and one made "
        f"anew under the name is not trusted. {way_out(cell, dead)} trusts the new one ({RUNBOOK}#trustedprincipalgone)"
    )
