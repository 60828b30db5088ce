"""How many cells a number of tenants needs, and which limit a cell reaches first.

Owns the calculation for future tenants, from the limits of `capacity` and the slots that tenancy gives to slugs. Pure.
Leaves out present tenants (`capacity`) and printing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

from myflux_keys.aws_names import CellNames
from ops.actions.capacity import PROJECTS, ROLES, SECRETS, platform_roles
from ops.actions.pace import Budget
from tenancy import slots
from tenancy.aws_prices import KEY_MONTH, SECRET_MONTH
from tenancy.slot_load import SlotLoad, slot_load

_FIRST: Final = date(2027, 1, 1)
"""A fixed year: slots follow the calendar, and the table must not change from one day to the next."""
_NAMES: Final = CellNames("cell", "111122223333", "eu-central-1")


@dataclass(frozen=True)
class Shape:
    """How often the tenants' keys rotate, and the share of tenants with a role and a KMS key of their own."""

    interval_hours: int = 30 * 24
    dedicated: float = 0.0


@dataclass(frozen=True)
class Full:
    """The most tenants of a cell with its own organization, and the limit that it reaches first."""

    tenants: int
    limit: str


@dataclass(frozen=True)
class Projection:
    """`busiest_hour` counts rotations of the largest cell. `usd_a_month` is for secrets and KMS keys only. `all_now`:
    seconds to rotate every key at OpenAI's rate limit, all cells in parallel."""

    tenants: int
    cells: int
    stacks: int
    secrets: int
    rotations_a_day: float
    busiest_hour: int
    usd_a_month: float
    all_now: float


def load(tenants: int, shape: Shape) -> SlotLoad:
    """The slots of one cell with so many tenants, whose slugs are numbers."""
    return slot_load((slots.cron(f"t-{one:06d}", _NAMES.cell, shape.interval_hours) for one in range(tenants)), _FIRST)


def full(shape: Shape) -> Full:
    """The limit that is reached first. The busiest hour grows with the tenants: the largest number that fits is found
    by bisection, between none and what the other limits allow."""
    by_limit = {"OpenAI projects": PROJECTS, "secrets": SECRETS - 1}
    if shape.dedicated:
        by_limit["IAM roles"] = int((ROLES - platform_roles(_NAMES)) / shape.dedicated)
    limit, most = min(by_limit.items(), key=lambda item: item[1])
    if load(most, shape).fits:
        return Full(most, limit)
    fits, too_many = 0, most
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if load(middle, shape).fits else (fits, middle)
    return Full(fits, "rotations in the busiest hour")


def project(tenants: int, shape: Shape) -> Projection:
    cells = math.ceil(tenants / full(shape).tenants)
    # Tenants are spread evenly over the cells.
    largest = math.ceil(tenants / cells)
    busiest = load(largest, shape)
    dedicated = round(tenants * shape.dedicated)
    return Projection(
        tenants=tenants,
        cells=cells,
        stacks=tenants + cells,
        secrets=tenants + cells,
        rotations_a_day=busiest.rotations / 366 / largest * tenants,
        busiest_hour=busiest.peak,
        usd_a_month=float((tenants + cells) * SECRET_MONTH + (cells + dedicated) * KEY_MONTH),
        all_now=Budget().seconds_for(largest, 0),
    )
