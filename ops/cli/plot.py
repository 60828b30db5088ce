"""Bars in the terminal: rich's block characters on a terminal, plain ones elsewhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rich.bar import Bar
from rich.console import Console

WIDTH: Final = 40
_PLAIN: Final = "#"


def bars(values: Sequence[Decimal], *, blocks: bool | None = None) -> list[str]:
    """One bar for each value, WIDTH characters for the greatest; empty for zero and less. `blocks` None: on a terminal
    that shows them."""
    greatest = max([*values, Decimal(0)])
    shown = sys.stdout.isatty() and "utf" in (sys.stdout.encoding or "").lower() if blocks is None else blocks
    return [_bar(value / greatest, blocks=shown) if value > 0 else "" for value in values]


def _bar(share: Decimal, *, blocks: bool) -> str:
    if not blocks:
        return _PLAIN * max(1, round(share * WIDTH))
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None, force_terminal=False)
    console.print(Bar(1, 0, float(share), width=WIDTH), end="")
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue().rstrip() or "▏"
