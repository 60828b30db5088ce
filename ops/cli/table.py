"""How tables, text, times, ages and counts are printed: plain text without colour, so that grep and a pager work."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from textwrap import wrap
from typing import Final

_WIDTHS: Final = (60, 110)
_GAP: Final = "  "
_INDENT: Final = "  "


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    lines = [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (headings, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def folded(headings: Sequence[str], rows: Sequence[Sequence[str]], at: int) -> str:
    """As `table`, where that is not wider than the terminal, or nobody says how wide it is, as in a pipe. Else a row
    takes several lines: the column `at` begins one, and so does each that finds no room. Cuts no value."""
    whole = table(headings, rows)
    width = shutil.get_terminal_size((0, 0)).columns
    if not width or max(map(len, whole.splitlines())) <= width:
        return whole
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    starts, used = [0], 0
    for place, own in enumerate(widths):
        if place > starts[-1] and (place == at or used + own > width):
            starts.append(place)
            used = len(_INDENT)
        used += own + len(_GAP)
    return "\n".join(
        (_INDENT if begin else "")
        + _GAP.join(cell.ljust(own) for cell, own in zip(row[begin:end], widths[begin:end], strict=True)).rstrip()
        for row in (headings, *rows)
        for begin, end in pairwise([*starts, len(widths)])
    )


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
