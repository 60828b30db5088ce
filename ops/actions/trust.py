"""Whether the roles that read a cell's keys trust users and roles that exist, and what to do if they do not.

Owns which roles are looked at for `status`, and the sentence. Leaves out the look itself (`functions/sweep/trust.py`).
Why such a role trusts ids: docs/adr/0036.
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.sweep.trust import DeadTrust, dead_trust
from ops import ways_out
from ops.account import Account
from ops.actions.orphans import RUNBOOK
from tenancy import Tenant


def cell_trust(account: Account, tenants: Iterable[Tenant]) -> list[DeadTrust]:
    """The cell's runtime role, and those of its tenants that have one of their own. Raises botocore's errors."""
    names = account.cell.names
    roles = [(names.runtime_role, None)]
    roles += [(names.tenant(one.tenant).dedicated_role, one.tenant) for one in tenants if one.isolation == "dedicated"]
    found = (dead_trust(account.roles, role, tenant) for role, tenant in roles)
    return [one for one in found if one is not None]


def sentence(cell: str, dead: DeadTrust) -> str:
    up = f"myflux-keys up {dead.tenant}" if dead.tenant else f"pulumi up --refresh --stack {cell}"
    whose = f"the keys of {dead.tenant}" if dead.tenant else "tenants' keys"
    return (
        f"{ways_out.deleted_trusted(dead.role, dead.ids)}: nobody reads {whose} as that user or role, and one made "
        f"anew under the name is not trusted. `{up}` trusts the new one ({RUNBOOK}#trustedprincipalgone)"
    )
