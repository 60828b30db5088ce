"""Reads what `status`, `capacity` and `history` print, cell by cell, each with the cell's AWS account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tenancy
from functions.sweep.trust import DeadTrust
from ops import selection
from ops.account import Account
from ops.actions import stack_states
from ops.actions.capacity import Capacity, capacity
from ops.actions.history import Life, history
from ops.actions.orphans import Orphan
from ops.actions.status import TenantStatus, cell_status
from ops.actions.trust import cell_trust, sentence


@dataclass(frozen=True)
class Statuses:
    """By cell."""

    tenants: dict[str, list[TenantStatus]]
    orphans: dict[str, list[Orphan]]
    trust: dict[str, list[DeadTrust]]
    for_a_person: list[str]
    """A sentence for each orphan and for each role that trusts somebody deleted."""


def statuses(root: Path, cell: str | None, *, report: Callable[[str], None]) -> Statuses:
    """The status of one cell, or of all. Raises OperationError and TenancyError."""
    fleet = tenancy.load(root)
    cells = selection.cells(fleet, cell)
    with_state = stack_states.stacks(cells, report)
    found = Statuses({}, {}, {}, [])
    for one in cells:
        with Account(one, "status") as account:
            found.tenants[one.cell], found.orphans[one.cell] = cell_status(account, fleet, with_state[one.cell])
            found.trust[one.cell] = cell_trust(account, fleet.tenants_of(one))
        found.for_a_person.extend(orphan.sentence for orphan in found.orphans[one.cell])
        found.for_a_person.extend(sentence(one.cell, dead) for dead in found.trust[one.cell])
    return found


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
    with Account(fleet.cell_of(tenant), "history") as account:
        return history(account, slug)
