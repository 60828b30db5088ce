"""`myflux-keys capacity`: how much of each limit a cell uses, and when it reaches the limit."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops.actions import read_reports
from ops.actions.capacity import LEAST_DAYS, Capacity, Growth, Limit
from ops.cli import options, output
from ops.cli.table import counted, iso, table, when
from tenancy.slot_load import ROTATIONS_AN_HOUR


def capacity(
    cell: Annotated[
        str | None,
        typer.Option(help="One cell. Default: all cells.", autocompletion=options.complete_cell),
    ] = None,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Show tenants, slots, projects, secrets, roles and Admin API use, and when growth reaches each limit.

    The forecast needs tenants over 7 days or more.
    """
    capacities = read_reports.capacities(fleet, cell)
    output.result(
        {"cells": {one.cell: _facts(one) for one in capacities}},
        "\n\n".join(_text(one) for one in capacities),
        as_json=as_json,
    )


def _text(one: Capacity) -> str:
    slots = one.slots
    lines = [
        f"{one.cell}: {counted(one.tenants, 'tenant')} in files, {_deployed(one)}. {_growth(one.growth)}",
        table(
            ("LIMIT", "USED", "OF", "LEFT", "FULL"),
            [
                (limit.what, f"{limit.used}", f"{limit.most}", f"{limit.left}", _full(limit, one))
                for limit in one.limits
            ],
        ),
        f"Admin API: rotations make {one.admin_calls_a_day:.0f} calls a day to each endpoint. The limit is "
        f"{CALLS_PER_MINUTE} a minute, which is {CALLS_PER_MINUTE * 1440} a day.",
        f"Slots: at most {counted(slots.peak, 'rotation')} in one hour, first at {when(slots.peak_at)}; the limit is "
        f"{ROTATIONS_AN_HOUR}. The busiest hours of the year:",
    ]
    lines += [
        f"  {counted(hours, 'hour'):>11} with {counted(rotations, 'rotation')} each"
        for rotations, hours in _busiest(slots.histogram)
    ]
    return "\n".join(lines)


def _deployed(one: Capacity) -> str:
    """A federated tenant has no secret, by which a deployed one is counted."""
    if not one.without_key:
        return f"{one.deployed} deployed"
    return f"{one.without_key} of them without a key; {one.deployed} deployed with one"


def _busiest(histogram: dict[int, int]) -> list[tuple[int, int]]:
    """(rotations in an hour, how many hours of the year have so many): the ten highest, highest first."""
    return sorted(histogram.items(), reverse=True)[:10]


def _growth(growth: Growth) -> str:
    if growth.tenants_a_day is None:
        known = f"is {counted(growth.days, 'day')} old" if growth.days else "is less than a day old or does not exist"
        return f"No forecast: the first tenant's secret {known}, and growth is measured over {LEAST_DAYS} days or more."
    return (
        f"Growth over the last {counted(growth.days, 'day')}: {growth.tenants_a_day:.2f} tenants a day (from "
        f"{growth.source})."
    )


def _full(limit: Limit, one: Capacity) -> str:
    if limit.used > limit.most:
        return "over"
    if limit.full_on:
        return limit.full_on.isoformat()
    return "no forecast" if one.growth.tenants_a_day is None else "not at this growth"


def _facts(one: Capacity) -> dict[str, Any]:
    return {
        "tenants": one.tenants,
        "without_key": one.without_key,
        "deployed": one.deployed,
        "growth": {
            "tenants_a_day": None if one.growth.tenants_a_day is None else round(one.growth.tenants_a_day, 4),
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
