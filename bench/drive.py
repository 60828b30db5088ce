"""Drives a fleet through its life on the local cell: up, rotated, unchanged, moved to a second cell.

The commands are those that a person types. Each step is checked on the side that knows: OpenAI's projects and their
keys. The rotations keep OpenAI's pace, so their time is mostly a wait.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import tenancy
from bench import command, stage
from bench.command import Ran
from bench.figures import Figure
from bench.unchanged import BY_MARK
from myflux_keys.aws_names import CellNames
from myflux_keys.payload import SecretText
from ops.actions import admin_key

TENANTS: Final = 100
OTHER: Final = "other"
AT_ONCE: Final = 2
"""`move` takes one tenant."""
_SETTLE_SECONDS: Final = 600.0


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Takes half an hour with a rotation every ten seconds; `quick` only tests that it works."""
    with stage.opened(home / "drive") as here:
        here.environment["MYFLUX_STATE"] = str(home / "drive" / "operations")
        _second_cell(here)
        slugs = [f"drive-{one:03d}" for one in range(2 if quick else TENANTS)]
        for slug in slugs:
            here.expect_tenant(slug)
        up = command.run(here, "up", "--all")
        began = time.perf_counter()
        _await_keys(here, slugs, 1)
        first_keys = time.perf_counter() - began
        rotated = command.run(here, "rotate", "--cell", stage.CELL, "--wait", "--yes", "--reason", "a drive")
        _await_keys(here, slugs, 2)
        unchanged = command.run(here, "up", "--all")
        moved = command.measured(lambda: _moved(here, slugs))
    return figures(up, first_keys, rotated, unchanged, moved)


def _second_cell(here: stage.Stage) -> None:
    """In the same account: its names are its own."""
    text = (here.fleet / "cells" / f"{stage.CELL}.yaml").read_text("utf-8")
    changed = text.replace(f"cell: {stage.CELL}", f"cell: {OTHER}")
    (here.fleet / "cells" / f"{OTHER}.yaml").write_text(changed, "utf-8")
    here.up(OTHER)
    described = tenancy.load(here.fleet).cells[OTHER]
    key = SecretText(here.cell.openai.create_admin_key("bench"))
    admin_key.store(described, key, here.cell.openai_url, here.client("secretsmanager"))


def _moved(here: stage.Stage, slugs: Sequence[str]) -> dict[str, Any]:
    """What the command said of each."""
    there = {slug: CellNames(OTHER, here.names.account_id, here.names.region).tenant(slug) for slug in slugs}
    for names in there.values():
        here.will_leave(names.stack)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda slug: command.said(here, "move", slug, "--to", OTHER), slugs))
    live = _live_keys(here)
    for slug, names in there.items():
        if live.get(names.project) != 1 or f"cell: {OTHER}" not in here.file(slug).read_text("utf-8"):
            raise RuntimeError(f"{slug} was moved, and has no key of its own in cell {OTHER}")
    return dict(zip(slugs, found, strict=True))


def _await_keys(here: stage.Stage, slugs: Sequence[str], number: int) -> None:
    """Until each has exactly so many live keys."""
    give_up = time.monotonic() + _SETTLE_SECONDS
    projects = {slug: here.names.tenant(slug).project for slug in slugs}
    while True:
        live = _live_keys(here)
        wrong = {slug: live.get(project, 0) for slug, project in projects.items() if live.get(project, 0) != number}
        if not wrong:
            return
        if time.monotonic() > give_up:
            raise RuntimeError(f"{number} live keys were to be in each of {len(slugs)} projects: {wrong}")
        time.sleep(1)


def _live_keys(here: stage.Stage) -> dict[str, int]:
    return {project.name: len(project.live_keys) for project in here.cell.openai.projects() if not project.archived}


def figures(up: Ran, first_keys: float, rotated: Ran, unchanged: Ran, moved: Ran) -> list[Figure]:
    """Pure: the table's lines. Raises RuntimeError where a step did something else."""
    number = len(moved.answer)
    stacks = number + 2
    if up.outcomes.get("succeeded") != stacks:
        raise RuntimeError(f"{stacks} stacks were to be deployed: {up.outcomes}")
    if unchanged.outcomes != {"succeeded": 2, BY_MARK: number}:
        raise RuntimeError(f"after a rotation nothing but the platforms was to be run: {unchanged.outcomes}")
    entries = [one for cell in rotated.answer["cells"].values() for one in cell["tenants"].values()]
    if [one["outcome"] for one in entries] != ["succeeded"] * number:
        raise RuntimeError(f"{number} tenants were to be rotated: {entries[:3]}")
    return [
        _figure(
            f"{number} tenants up, with two platforms", up, f"then {first_keys:.0f} s until each had its first key"
        ),
        _figure(f"{number} tenants rotated", rotated, "at the pace of OpenAI's limits"),
        _figure(f"{number} tenants unchanged, with two platforms", unchanged, "after the rotations"),
        _figure(f"{number} tenants moved to a second cell", moved, f"{AT_ONCE} commands at once"),
    ]


def _figure(name: str, ran: Ran, note: str) -> Figure:
    told = f"{ran.cpu:.0f} s of CPU without the cell's servers; {note}; load {ran.load:.1f} at its end"
    return Figure(name, round(ran.seconds, 1), "s", note=told)
