"""What a growing number of tenants costs to deploy, for the page on scale.

As `python -m bench growth unchanged` measured it in one cell; more tenants than that are in more cells, so their
figures are reckoned. Seconds are the processor's, which other work on the machine lengthens least.
"""

from __future__ import annotations

from typing import Final

from ops.actions.capacity import PROJECTS
from ops.actions.pace import spoken
from ops.actions.projection import Shape, project

MEMORY: Final = {10: 199, 100: 198, 2_000: 204}
"""MiB of all processes of the engine while one tenant is added, by how many there are then."""
FLEET: Final = 2_000
UNCHANGED: Final = 16.9
"""Seconds of `up --all` over so many tenants of which none changed."""
CHANGED: Final = 2.2
"""Seconds of one changed tenant."""
MEASURED_ON: Final = "30 November 2026, on two cores that others used at the same time"
RECKONED: Final = (2_000, 10_000)


def growing() -> str:
    memory = ", ".join(f"{mebibytes} MiB beside {tenants:,}" for tenants, mebibytes in MEMORY.items())
    rows = [_row(tenants) for tenants in RECKONED]
    headings = "| tenants | cells | nothing changed | ten changed | all changed |\n|--:|--:|--:|--:|--:|"
    return f"""## What deploying them takes

Adding one tenant takes as much memory in a large cell as in a small one, since a stack knows nothing of the others:
{memory}. A cell has at most {PROJECTS:,} tenants, so it takes no more
among {RECKONED[-1]:,}. `myflux-keys up --all` takes so much processor time, which workers share; waiting for OpenAI's
limits comes on top:

{headings}
{chr(10).join(rows)}

Measured with {FLEET:,} on {MEASURED_ON}; more are
reckoned from it. The AWS provider was the local cell's, which is lighter than AWS's. `make bench-fleet` measures again,
beside Terraform where that and its AWS provider are on the machine. They were not on this one: nothing here compares
the two.
"""


def _row(tenants: int) -> str:
    cells = project(tenants, Shape()).cells
    unchanged = UNCHANGED * tenants / FLEET
    times = (unchanged, unchanged + 10 * CHANGED, unchanged + tenants * CHANGED)
    return f"| {tenants:,} | {cells} | " + " | ".join(spoken(seconds) for seconds in times) + " |"
