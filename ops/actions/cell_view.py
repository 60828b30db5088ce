"""One cell as rows: its own troubles, and its tenants. Pure.

Owns whether what the health function remembers still counts. Where it does not, no tenant is called fine: a function
that never ran, or no longer runs, finds nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from functions.health.notices import Scope
from functions.health.state import State
from functions.health.trouble import CELL, ORGANIZATION, TENANT
from functions.sweep.trust import DeadTrust
from myflux_keys.cell_functions import HEALTH
from myflux_keys.names import TAG_ORGANIZATION_ID
from ops.actions.connect_view import Links
from ops.actions.fleet_view import CellView, TenantView, TroubleView, by_need, troubles_by_need
from ops.actions.health_memory import Memory
from ops.actions.status import CellStatus, TenantStatus
from ops.actions.tenant_troubles import Seen
from ops.actions.tenant_view import tenant_view
from ops.actions.trouble_view import of_health, of_orphan, of_trust
from tenancy import Cell, Tenant
from tenancy.declaration import declared


@dataclass(frozen=True)
class Known:
    """All that was read of one cell. `tenants` are those of its files, by slug. `clock`: this machine's time, by which
    the health function's last look is old, since it too counts by a machine's time and not by AWS's."""

    cell: Cell
    tenants: Mapping[str, Tenant]
    status: CellStatus
    trust: Sequence[DeadTrust]
    memory: Memory
    clock: datetime
    links: Links = field(default_factory=Links)


def cell_view(known: Known) -> CellView:
    cell, status, state = known.cell, known.status, known.memory.state
    heart = heartbeat(cell, known.memory, known.clock)
    shared = _shared(known)
    seen = [_seen(known, line, heart, shared) for line in status.tenants]
    ours = {Scope(CELL, cell.cell), *(Scope(ORGANIZATION, _organization(known, one.status.tenant)) for one in seen)}
    own = [one for scope, many in shared.items() if scope in ours for one in many]
    own += [known.links.trouble] if known.links.trouble else []
    return CellView(
        cell.cell,
        status.as_of,
        _began(state),
        troubles_by_need([*([heart] if heart else []), *own, *(of_trust(cell.cell, dead) for dead in known.trust)]),
        by_need(map(tenant_view, seen)),
    )


def unread(cell: Cell, tenants: Iterable[Tenant], why: str, now: datetime) -> CellView:
    """A cell that AWS told nothing of, such as one of an account that these credentials do not belong to: what its
    files say, and none of it is fine."""
    told = f"this cell was not read: {why.removesuffix('Nothing was changed.').strip().rstrip('.')}"
    command = f"myflux-keys status --cell {cell.cell}"
    trouble = TroubleView("cell_not_read", "unknown", told, do="look at it by itself", command=command)
    rows = [
        TenantView(one.tenant, one.name, one.source, one.enabled, None, "not checked", "unknown", through=told)
        for one in tenants
    ]
    return CellView(cell.cell, now, None, (trouble,), by_need(rows))


Shared = Mapping[Scope, Sequence[TroubleView]]


def _shared(known: Known) -> Shared:
    """What the health function found of the cell and of organizations."""
    if known.memory.state is None:
        return {}
    declarations = {slug: declared(one) for slug, one in known.tenants.items()}
    return {
        scope: [of_health(trouble, scope, known.cell.cell, declarations) for trouble in history.open.values()]
        for scope, history in known.memory.state.histories.items()
        if scope.of in (CELL, ORGANIZATION)
    }


def _seen(known: Known, line: TenantStatus, heart: TroubleView | None, shared: Shared) -> Seen:
    cell, state, slug = known.cell, known.memory.state, line.tenant
    history = state.histories.get(Scope(TENANT, slug)) if state else None
    theirs = Scope(ORGANIZATION, _organization(known, slug))
    return Seen(
        cell=cell.cell,
        tenant=known.tenants.get(slug),
        status=line,
        secret=known.status.secrets.get(slug),
        orphans=tuple(of_orphan(one) for one in known.status.orphans if one.tenant == slug),
        remembered=state.tenants.get(slug) if state else None,
        found=tuple(history.open.values()) if history else (),
        costs_as_of=state.costs_as_of if state else 0.0,
        every=_every(cell),
        unlooked=heart.sentence if heart else "",
        # A disabled tenant makes no calls that could fail.
        shared=(*shared.get(theirs, ()), *shared.get(Scope(CELL, cell.cell), ())) if line.enabled else (),
        now=known.status.as_of,
        links=known.links.open.get(slug, ()),
        connect=known.links.offered,
    )


def heartbeat(cell: Cell, memory: Memory, clock: datetime) -> TroubleView | None:
    """What is wrong with the health function itself; None: it works. Too old is more than two of its periods."""
    up = f"myflux-keys up --cell {cell.cell}"
    log = f"aws logs tail {cell.names.log_group(cell.names.function(HEALTH))} --since 12h"
    page = "docs/runbook.md#healthcycles"
    if memory.kind == "health_missing":
        # First in the list: before there is a platform, `up` of a tenant is refused.
        do = "deploy the cell's platform"
        return TroubleView(memory.kind, "attention", memory.why, do=do, command=up, page=page)
    if memory.kind == "health_not_run":
        do = "look again in some minutes: its schedule calls it every 10"
        return TroubleView(memory.kind, "unknown", memory.why, do=do, command=log, page=page)
    state = memory.state
    if state is None:
        do = "look as somebody who deploys the cell, with a checkout of its version"
        return TroubleView(
            memory.kind, "unknown", memory.why, do=do, command=f"myflux-keys doctor {cell.cell}", page=page
        )
    began, every = _began(state), _every(cell)
    if began is None:
        told, do = "the health function has not looked at the tenants yet", "look again in some minutes"
        return TroubleView("health_not_run", "unknown", told, do=do, command=log, page=page)
    if began - clock > every:
        # Such a look would count as new until that day, however long ago the function stopped.
        told = f"the health function last looked at {began:%Y-%m-%d %H:%M}Z, later than this machine's clock"
        do = "set this machine's clock"
        return TroubleView("clocks_differ", "unknown", told, do=do, command="date -u", page=page)
    if clock - began > 2 * every:
        minutes = every.seconds // 60
        told = f"the health function last looked at {began:%Y-%m-%d %H:%M}Z, and should every {minutes} minutes"
        return TroubleView("health_late", "attention", told, began + every, "see in its log why it stopped", log, page)
    return None


def _began(state: State | None) -> datetime | None:
    return datetime.fromtimestamp(state.cycle_began, UTC) if state and state.cycle_began else None


def _every(cell: Cell) -> timedelta:
    return timedelta(minutes=cell.health.every_minutes)


def _organization(known: Known, slug: str) -> str:
    """As the health function has it (`functions/health/roster.py`); empty where it is not known."""
    secret, tenant = known.status.secrets.get(slug), known.tenants.get(slug)
    theirs = secret.tags.get(TAG_ORGANIZATION_ID) if secret else None
    if theirs:
        return theirs
    if tenant is not None and tenant.source == "customer":
        return tenant.organization_id or ""
    return known.cell.openai.organization_id
