"""Plain tables: columns as wide as they need, no colour, so that grep and a pager work.

Owns widths, and how a time, an age and a missing value look. Leaves out what is in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (headings, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def when(moment: datetime | None) -> str:
    """Minutes, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if moment else "-"


def iso(moment: datetime | None) -> str | None:
    """For JSON."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def age(span: timedelta | None) -> str:
    if span is None:
        return "-"
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h"
