"""How much of each limit a cell uses, and when it reaches the limit.

Owns the limits, the counting and the forecast. Leaves out printing. Growth is read from the CreatedDate of the tenants'
secrets: it shows when tenants were deployed, also where the files have no git history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from myflux_keys.aws_names import CellNames
from ops.account import Account
from ops.rotation_state import tenant_secrets
from tenancy import Cell, Fleet, aws_limits
from tenancy.federation import most_tenants
from tenancy.slot_load import ROTATIONS_AN_HOUR, SlotLoad, slot_load

PROJECTS: Final = 2_000
"""OpenAI's default for one organization. Archived projects may count too, and are not counted here."""
SECRETS: Final = 500_000
"""Per Region and account, AWS's documented quota."""
ROLES: Final = 1_000
"""Per account, AWS's default quota; other teams' roles count too."""
GROWTH_DAYS: Final = 90
"""Growth is measured over so many days; over fewer for a younger cell."""
LEAST_DAYS: Final = 7
"""Over fewer there is no forecast: a cell's first days say how fast it was filled, not how fast it grows, and sign-ups
follow the week."""

_PLATFORM_SECRETS: Final = 1


@dataclass(frozen=True)
class Limit:
    """`used` and `most` count what `what` names. `full_on` is None where the cell will not reach the limit, and where
    there is no forecast."""

    what: str
    used: int
    most: int
    full_on: date | None

    @property
    def left(self) -> int:
        return max(self.most - self.used, 0)


@dataclass(frozen=True)
class Growth:
    """`tenants_a_day` over the last `days` days, from `source`; None where `days` are fewer than LEAST_DAYS."""

    tenants_a_day: float | None
    days: int
    source: str = "CreatedDate of the tenants' secrets"


FEDERATED: Final = "federated tenants"


@dataclass(frozen=True)
class Capacity:
    """`slots` and `admin_calls_a_day` count every cell that shares the organization; `admin_calls_a_day` counts
    only the calls of rotations, to one of the three endpoints that they call. `deployed` counts secrets, so tenants
    that are federated are not in it: `without_key` counts those of the files."""

    cell: str
    tenants: int
    without_key: int
    deployed: int
    slots: SlotLoad
    admin_calls_a_day: float
    growth: Growth
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class Demand:
    """How much of a cell's limits its files need once all are deployed. `projects` and `slots` count every cell that
    shares the organization, and `sharing` counts their tenants; `federated`, `secrets` and `roles` count this cell
    only, and `most_federated` is what the other cells leave to it. A tenant that is switching has a key and an
    identity, and counts as both."""

    projects: int
    federated: int
    most_federated: int
    secrets: int
    roles: int
    slots: SlotLoad
    sharing: int


def demand(fleet: Fleet, cell: Cell, first: date) -> Demand:
    """Pure. `slots` counts a year from `first`."""
    tenants = fleet.tenants_of(cell)
    organization = cell.openai.organization_id
    cells = [one for one in fleet.cells.values() if one.openai.organization_id == organization]
    sharing = [tenant for one in cells for tenant in fleet.tenants_of(one)]
    federated = Counter(tenant.cell for tenant in sharing if tenant.has_identity)
    return Demand(
        projects=sum(tenant.source == "managed" for tenant in sharing),
        federated=federated[cell.cell],
        most_federated=most_tenants(cell.cell, federated),
        secrets=sum(tenant.has_key for tenant in tenants) + _PLATFORM_SECRETS,
        roles=sum(tenant.isolation == "dedicated" for tenant in tenants) + platform_roles(cell.names),
        slots=slot_load((tenant.schedule for tenant in sharing if tenant.schedule and tenant.has_key), first),
        sharing=len(sharing),
    )


def capacity(account: Account, fleet: Fleet) -> Capacity:
    """Asks AWS for the cell's secrets; the rest comes from the files."""
    now = account.check()
    created = [secret.created for _, secret in tenant_secrets(account.secrets, account.cell.names) if secret.created]
    return reckon(fleet, account.cell, created, now)


def reckon(fleet: Fleet, cell: Cell, created: Sequence[datetime], now: datetime) -> Capacity:
    """Pure. `created`: when each tenant's secret that exists was made. Federated tenants, which have none, are taken to
    grow as the others do."""
    tenants = fleet.tenants_of(cell)
    keyed = max(sum(tenant.has_key for tenant in tenants), 1)
    without_key = sum(not tenant.has_key for tenant in tenants)
    growth = growth_of(created, now)
    need = demand(fleet, cell, now.date())
    slots, dedicated = need.slots, need.roles - platform_roles(cell.names)
    counted = (
        ("OpenAI projects", need.projects, PROJECTS, 1 + without_key / keyed if need.projects else 0.0),
        *_federation(cell, need, without_key / keyed),
        ("rotations in the busiest hour", slots.peak, ROTATIONS_AN_HOUR, slots.peak / max(need.sharing, 1)),
        ("secrets", len(created) + _PLATFORM_SECRETS, SECRETS, 1.0),
        ("IAM roles of ours", need.roles, ROLES, dedicated / keyed),
    )
    return Capacity(
        cell=cell.cell,
        tenants=len(tenants),
        without_key=without_key,
        deployed=len(created),
        slots=slots,
        admin_calls_a_day=slots.rotations / 366,
        growth=growth,
        limits=tuple(
            Limit(what, used, most, full_on(used, most, each * (growth.tenants_a_day or 0.0), now.date()))
            for what, used, most, each in counted
        ),
    )


def _federation(cell: Cell, need: Demand, for_each_key: float) -> list[tuple[str, int, int, float]]:
    """Nothing where nobody can be federated, or is."""
    if not (cell.federation.enabled or need.federated):
        return []
    return [(FEDERATED, need.federated, need.most_federated, for_each_key)]


def platform_roles(names: CellNames) -> int:
    """Counted by the names that the bootstrap and the platform give to roles."""
    return sum(limit is aws_limits.ROLE for limit, _ in aws_limits.cell_names(names))


def growth_of(created: Iterable[datetime], now: datetime) -> Growth:
    """New tenants a day. A cell younger than GROWTH_DAYS is measured over its own age."""
    moments = sorted(created)
    if not moments:
        return Growth(None, 0)
    since = max(moments[0], now - timedelta(days=GROWTH_DAYS))
    days = (now - since).days
    if days < LEAST_DAYS:
        return Growth(None, days)
    # The first tenant of a young cell marks the start of the period, so it does not count as growth.
    return Growth(sum(moment > since for moment in moments) / days, days)


def full_on(used: int, most: int, a_day: float, today: date) -> date | None:
    """When `most` is reached at this growth; None for never, or for later than in a hundred years."""
    if used >= most:
        return today
    if a_day <= 0:
        return None
    days = (most - used) / a_day
    return today + timedelta(days=int(days)) if days < 36_500 else None
