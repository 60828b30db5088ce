"""Sweeps the chosen cells and tenants, and compares files and stacks, which no function can read.

Leaves out the sweep of one cell (`sweep.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import tenancy
from ops import selection
from ops.account import Account
from ops.actions import orphans, stack_states
from ops.actions.sweep import PER_MINUTE, Swept, compare, sweep


@dataclass(frozen=True)
class Talk:
    """How the operator gets reports. `line` is open while one cell is swept."""

    report: Callable[[str], None]
    line: Callable[[], AbstractContextManager[Callable[[str], None]]]


def sweep_cells(
    root: Path, tenants: Sequence[str], cell: str | None, *, dry_run: bool, governance: bool, talk: Talk
) -> list[Swept]:
    """Raises OperationError and TenancyError."""
    fleet = tenancy.load(root)
    chosen = selection.by_cell(fleet, tenants, cell)
    with_state = stack_states.stacks([fleet.cells[name] for name in chosen], talk.report)
    found: list[Swept] = []
    for name, slugs in chosen.items():
        with Account(fleet.cells[name], "sweep") as account, talk.line() as say:
            sides = orphans.sides(account, fleet, with_state[name], account.check())
            compared = compare(account, sides, slugs, dry_run=dry_run)
            slugs = None if slugs is None else [slug for slug in slugs if slug in compared.tenants]
            count = len(compared.tenants if slugs is None else slugs)
            if count > PER_MINUTE:
                say(f"{name}: {count} tenants, about {-(-count // PER_MINUTE)} minutes")

            def progress(swept: Swept, count: int = count, say: Callable[[str], None] = say) -> None:
                if not swept.done:
                    say(f"{swept.cell}: {swept.tenants} of {count} tenants, {len(swept.plan)} keys")

            swept = Swept(name, compared.orphans, compared.projects_failed, done=True)
            if slugs is None or slugs:
                swept = sweep(account, slugs, dry_run=dry_run, governance=governance, progress=progress)
                swept.orphans, swept.projects_failed = compared.orphans, compared.projects_failed
            found.append(swept)
    return found
