"""What many customers meet who hand in keys at once, for the page on scale: as `python -m bench connect` measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Crowd:
    """`first` had saved within the minute in which the page tries by itself, the others after one more press.
    `executions` is the most at once; `busy` counts answers; `slowest` is in seconds, of those who saved first."""

    links: int
    first: int
    lost: int
    executions: int
    busy: int
    slowest: float


MEASURED: Final = (Crowd(links=500, first=440, lost=0, executions=10, busy=3600, slowest=77.7),)
MEASURED_ON: Final = (
    "Measured on 30 November 2026, on two cores, which the ten executions shared; in AWS each has a processor of its\n"
    "own."
)


def handing_in() -> str:
    rows = [
        f"| {one.links:,} | {one.first:,} | {one.links - one.first - one.lost:,} | {one.lost:,} | {one.executions} | "
        f"{one.busy:,} | {one.slowest:.0f} |"
        for one in MEASURED
    ]
    headings = (
        *("links at once", "saved by themselves", "saved by one more press", "lost"),
        *("executions at once", "told to wait", "seconds of the slowest"),
    )
    table = "\n".join([f"| {' | '.join(headings)} |", "|--:" * len(headings) + "|", *rows])
    return f"""## Customers who hand in keys

The connect page has ten executions ([connect.md](connect.md)). Whoever finds none free waits, and tries again for a
minute by itself; nobody's key is lost. `python -m bench connect` has 500 customers come at the same moment.
{MEASURED_ON}

{table}
"""
