"""Reads what `status`, `capacity` and `history` print, cell by cell, each with the cell's AWS account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import tenancy
from functions.sweep.trust import DeadTrust
from ops import selection, ways_out
from ops.account import Account
from ops.actions import stack_states
from ops.actions.capacity import Capacity, capacity
from ops.actions.cell_view import Known, cell_view, unread
from ops.actions.connect_view import open_links
from ops.actions.fleet_view import CellView, FleetView
from ops.actions.health_memory import memory_of
from ops.actions.history import Life, history
from ops.actions.orphans import Orphan
from ops.actions.status import TenantStatus, cell_status
from ops.actions.trust import cell_trust, sentence
from ops.errors import OperationError
from ops.explained import explained
from tenancy import Cell, Fleet


@dataclass(frozen=True)
class Statuses:
    """By cell that could be read. `view` has all of it, what the health function found, and every cell."""

    tenants: dict[str, list[TenantStatus]]
    orphans: dict[str, list[Orphan]]
    trust: dict[str, list[DeadTrust]]
    view: FleetView

    @property
    def for_a_person(self) -> list[str]:
        """A sentence for each orphan and for each role that trusts somebody deleted."""
        return [
            *(orphan.sentence for orphans in self.orphans.values() for orphan in orphans),
            *(sentence(cell, dead) for cell, trust in self.trust.items() for dead in trust),
        ]


def statuses(
    root: Path,
    slugs: Sequence[str],
    cell: str | None,
    *,
    report: Callable[[str], None],
    progress: Callable[[str], None],
) -> Statuses:
    """Of the tenants named, of one cell, or of all. `report` is called with what could not be looked at, `progress`
    with what is looked at. A cell that cannot be read keeps no other back: it is told as not known. Raises
    OperationError, TenancyError, or what kept the first cell back where no cell can be read.

    A tenant without a file may be named too, since its stack or secret may be what is wrong."""
    fleet = tenancy.load(root)
    cells = _cells(fleet, slugs, cell)
    with_state = stack_states.stacks(cells, report)
    tenants: dict[str, list[TenantStatus]] = {}
    orphans: dict[str, list[Orphan]] = {}
    trust: dict[str, list[DeadTrust]] = {}
    views: list[CellView] = []
    failed: dict[str, Exception] = {}
    for one in cells:
        name = one.cell
        files = {tenant.tenant: tenant for tenant in fleet.tenants_of(one)}
        progress(f"{name}: looking at secrets, policies and what the health function found")
        try:
            with Account(one, "status") as account:
                status = cell_status(account, fleet, with_state[name], slugs)
                dead = cell_trust(account, fleet.tenants_of(one))
                memory = memory_of(account)
                links = open_links(account, slugs, status.as_of)
        except (OperationError, BotoCoreError, ClientError) as error:
            failed[name] = error
            asked_for = [tenant for slug, tenant in files.items() if not slugs or slug in slugs]
            views.append(unread(one, asked_for, explained(error) or str(error), datetime.now(UTC)))
            continue
        tenants[name], orphans[name] = status.tenants, status.orphans
        trust[name] = [role for role in dead if not slugs or role.tenant is None or role.tenant in slugs]
        views.append(cell_view(Known(one, files, status, trust[name], memory, datetime.now(UTC), links)))
    if len(failed) == len(cells):
        raise next(iter(failed.values()))
    met = {line.tenant for lines in tenants.values() for line in lines}
    for slug in slugs:
        if slug not in met:
            selection.one_tenant(fleet, slug)
    as_of = max(one.as_of for one in views if one.name not in failed)
    return Statuses(tenants, orphans, trust, FleetView(as_of, tuple(views)))


def _cells(fleet: Fleet, slugs: Sequence[str], cell: str | None) -> list[Cell]:
    """Those of the tenants named, where each has a file."""
    if cell is not None or not slugs or any(slug not in fleet.tenants for slug in slugs):
        return selection.cells(fleet, cell)
    return [fleet.cells[name] for name in sorted({fleet.tenants[slug].cell for slug in slugs})]


def capacities(root: Path, cell: str | None) -> list[Capacity]:
    """The capacity of one cell, or of all. Raises OperationError and TenancyError."""
    fleet = tenancy.load(root)
    found: list[Capacity] = []
    for one in selection.cells(fleet, cell):
        with Account(one, "capacity") as account:
            found.append(capacity(account, fleet))
    return found


def lives(root: Path, slug: str) -> list[Life]:
    """The history of every version of a tenant's key. Raises OperationError and TenancyError."""
    fleet = selection.files_of(root, [slug])
    tenant = selection.one_tenant(fleet, slug)
    if not tenant.has_key:
        raise OperationError(ways_out.without_a_key(slug, "there is no version of a key to show"))
    with Account(fleet.cell_of(tenant), "history") as account:
        return history(account, slug)
