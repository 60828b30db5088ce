"""How much of each cell's limits a change uses, and how much money its tenants may spend.

Owns the comparison, from files alone. Leaves out the limits (`ops.actions.capacity`) and what AWS charges (`cost`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ops.actions.capacity import FEDERATED, PROJECTS, ROLES, SECRETS, Demand, demand
from tenancy import Fleet
from tenancy.slot_load import ROTATIONS_AN_HOUR

BUDGETS = "OpenAI budgets, USD a month"


@dataclass(frozen=True)
class Room:
    """`most` is None where there is no limit. A cell that is new had 0 of everything."""

    cell: str
    what: str
    before: int
    after: int
    most: int | None

    @property
    def over(self) -> bool:
        return self.most is not None and self.after > self.most


def room(before: Fleet, after: Fleet, first: date) -> tuple[Room, ...]:
    """The figures that differ or exceed their limit. Slots are counted over a year from `first`."""
    return tuple(
        one
        for slug in sorted(after.cells)
        for one in _of_cell(slug, before, after, first)
        if one.before != one.after or one.over
    )


def _of_cell(slug: str, before: Fleet, after: Fleet, first: date) -> Iterator[Room]:
    asked = demand(after, after.cells[slug], first)
    now = _counted(asked)
    was = _counted(demand(before, before.cells[slug], first)) if slug in before.cells else dict.fromkeys(now, 0)
    limits = dict(zip(now, (PROJECTS, asked.most_federated, ROTATIONS_AN_HOUR, SECRETS, ROLES), strict=True))
    for what, used in now.items():
        yield Room(slug, what, was[what], used, limits[what])
    yield Room(slug, BUDGETS, _budgets(before, slug), _budgets(after, slug), None)


def _counted(asked: Demand) -> dict[str, int]:
    return {
        "OpenAI projects": asked.projects,
        FEDERATED: asked.federated,
        "rotations in the busiest hour": asked.slots.peak,
        "secrets": asked.secrets,
        "IAM roles of ours": asked.roles,
    }


def _budgets(fleet: Fleet, cell: str) -> int:
    return sum(tenant.budget.monthly_usd for tenant in fleet.tenants_of(cell) if tenant.budget)
