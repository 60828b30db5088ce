"""`myflux-keys capacity`: how full each cell is, and when it will be full."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops.actions import reading
from ops.actions.capacity import Capacity, Limit
from ops.cli import options, output
from ops.cli.table import iso, table, when
from tenancy.slot_load import ROTATIONS_AN_HOUR


def capacity(
    cell: Annotated[
        str | None,
        typer.Option(help="One cell; all of them if left out.", autocompletion=options.complete_cell),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show tenants, slots, projects, secrets, roles and Admin API use, and when each limit is hit at today's growth."""
    found = reading.capacities(fleet, cell)
    output.result(
        {"cells": {one.cell: _facts(one) for one in found}}, "\n\n".join(_text(one) for one in found), as_json=as_json
    )


def _text(one: Capacity) -> str:
    slots = one.slots
    lines = [
        f"{one.cell}: {one.tenants} tenants in files, {one.deployed} deployed; "
        f"{one.growth.tenants_a_day:.2f} more a day over {one.growth.days} days, by {one.growth.source}.",
        table(
            ("LIMIT", "USED", "OF", "LEFT", "FULL"),
            [(limit.what, f"{limit.used}", f"{limit.most}", f"{limit.left}", _full(limit)) for limit in one.limits],
        ),
        f"Admin API: {one.admin_calls_a_day:.0f} calls a day and endpoint for rotations, of "
        f"{CALLS_PER_MINUTE * 1440} that {CALLS_PER_MINUTE} a minute allow.",
        f"Slots: at most {slots.peak} rotations in one hour, first at {when(slots.peak_at)}; the budget is "
        f"{ROTATIONS_AN_HOUR}.",
    ]
    lines += [f"  {hours:>5} hours a year with {count}" for count, hours in _busiest(slots.histogram)]
    return "\n".join(lines)


def _busiest(histogram: dict[int, int]) -> list[tuple[int, int]]:
    """The ten busiest kinds of hour, busiest first."""
    return sorted(histogram.items(), reverse=True)[:10]


def _full(limit: Limit) -> str:
    if limit.used > limit.most:
        return "over"
    return limit.full_on.isoformat() if limit.full_on else "not at this growth"


def _facts(one: Capacity) -> dict[str, Any]:
    return {
        "tenants": one.tenants,
        "deployed": one.deployed,
        "growth": {
            "tenants_a_day": round(one.growth.tenants_a_day, 4),
            "days": one.growth.days,
            "source": one.growth.source,
        },
        "limits": [
            {
                "what": limit.what,
                "used": limit.used,
                "of": limit.most,
                "left": limit.left,
                "full_on": limit.full_on.isoformat() if limit.full_on else None,
            }
            for limit in one.limits
        ],
        "admin_calls_a_day": round(one.admin_calls_a_day, 2),
        "slots": {
            "peak": one.slots.peak,
            "peak_at": iso(one.slots.peak_at),
            "budget": ROTATIONS_AN_HOUR,
            "histogram": one.slots.histogram,
        },
    }
