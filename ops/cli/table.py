"""How tables, text, times, ages and counts are printed: plain text without colour, so that grep and a pager work."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from textwrap import wrap
from typing import Final

_WIDTHS: Final = (60, 110)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (headings, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def wrapped(sentence: str, indent: str = "") -> list[str]:
    """Lines as wide as the terminal, 80 columns where nobody says how wide it is. Cuts no word, so that a command or an
    id can be copied."""
    least, most = _WIDTHS
    width = min(max(shutil.get_terminal_size().columns, least), most)
    return wrap(
        sentence, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def counted(count: int, one: str, many: str = "") -> str:
    """``1 cell``, ``2,000 cells``. `many` is the plural where that is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def when(moment: datetime | None) -> str:
    """Minutes, UTC; ``-`` for None."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if moment else "-"


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second, for JSON."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def age(span: timedelta | None) -> str:
    """Hours, or days from two days on; ``-`` for None."""
    if span is None:
        return "-"
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 48 else f"{hours} h"
