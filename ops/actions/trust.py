"""Whether the roles that read a cell's keys trust users and roles that exist, and what to do if they do not.

Owns which roles are looked at for `status`, and the sentence. Leaves out the look itself (`functions/sweep/trust.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from functions.sweep.trust import METRIC, DeadTrust, dead_trust
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
    stack = f"{dead.tenant}.{cell}" if dead.tenant else cell
    whose = f"the keys of {dead.tenant}" if dead.tenant else "tenants' keys"
    return (
        f"{dead.role}: it trusts {', '.join(dead.ids)}, which was deleted: nobody reads {whose} as that user or role, "
        f"and one made anew under the name is not trusted. `pulumi up --refresh --stack {stack}` trusts the new one "
        f"({RUNBOOK}#{METRIC.lower()})"
    )
