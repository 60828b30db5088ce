"""What it costs to show the tenants on one page, for the page on scale: as `python -m bench page` measured it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Shown:
    """`build` and `drawn` are seconds, the median of five; `size` is megabytes."""

    tenants: int
    size: float
    build: float
    drawn: float


MEASURED: Final = (Shown(200, 0.18, 0.06, 0.28), Shown(2_000, 1.50, 0.71, 0.39))
MEASURED_ON: Final = "Measured on 30 November 2026, on two cores that others used at the same time."


def seeing() -> str:
    rows = [f"| {one.tenants:,} | {one.size:.2f} | {one.build:.2f} | {one.drawn:.2f} |" for one in MEASURED]
    table = "\n".join(
        ["| tenants | MB | seconds to build | seconds until a browser has drawn it |", "|--:|--:|--:|--:|", *rows]
    )
    return f"""## Seeing them

`myflux-keys status --html FILE` writes one page for all tenants ([status-page.md](status-page.md)). It holds
all that it shows, so its size and the time to open it grow with the tenants. `python -m bench page` measures both: at
most 2 MB and 1 s for 2,000 tenants. {MEASURED_ON}

{table}
"""
