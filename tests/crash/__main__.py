"""Prints the crash table and saves it: `python -m tests.crash`, or `make crash-table`.

Owns rendering. Leaves out what a cell means (`table.py`). Exit code 1 when a cell is red.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.crash.faults import FAULTS
from tests.crash.script import Call
from tests.crash.stage import staged
from tests.crash.table import STARTS, Cell, Rows, Start

WIDTH: Final = 194

Results = dict[Start, list[tuple[Call, list[Cell]]]]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="The crash table of a rotation.")
    parser.add_argument("--out", type=Path, default=Path(".local/crash-table.md"), help="where it is saved")
    out: Path = parser.parse_args(arguments).out
    began = time.monotonic()
    results = run(Console(stderr=True))
    document = markdown(results, time.monotonic() - began)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(document, encoding="utf-8")
    # Narrower than this the cells could not be read; a file or a pager takes the long lines.
    _print(results, Console(width=max(Console().width, WIDTH)))
    red = reds(results)
    for line in red:
        print(line)
    print(f"{_count(results)} cells, {len(red)} red; saved to {out}")
    return 1 if red else 0


def run(progress: Console) -> Results:
    """Every cell. `progress` gets a line for each call of a rotation."""
    results: Results = {}
    for behaviour in (True, False):
        with tempfile.TemporaryDirectory() as home, staged(Path(home) / "cell", first_is_current=behaviour) as stage:
            for start in STARTS:
                if start.first_is_current is not behaviour:
                    continue
                rows = Rows(stage, start)
                found = results[start] = []
                for index, call in enumerate(rows.calls):
                    began = time.monotonic()
                    found.append((call, [rows.cell(index, fault) for fault in FAULTS]))
                    progress.print(
                        f"{start.name}: {call} ({time.monotonic() - began:.1f} s)", highlight=False, soft_wrap=True
                    )
    return {start: results[start] for start in STARTS}


def reds(results: Results) -> list[str]:
    """One line for each red cell, with everything that names it."""
    return [
        f"{start.name} | {cell.call} | {cell.fault.name} | {cell.text}"
        for start, rows in results.items()
        for _, cells in rows
        for cell in cells
        if cell.broken
    ]


def markdown(results: Results, seconds: float) -> str:
    parts = [
        "# Crash table\n",
        "Each cell is one rotation, driven by the local cell's Secrets Manager, in which one call met one fault, and",
        "one more rotation after it. `ok`: the function coped by itself. `ok, 1 repeat`: AWS began again once.",
        "Red ones are told below.\n",
    ]
    for start, rows in results.items():
        parts += [f"\n## {start.name.capitalize()}\n", "| call | " + " | ".join(f.name for f in FAULTS) + " |"]
        parts.append("|---" * (len(FAULTS) + 1) + "|")
        parts += [f"| {call} | " + " | ".join(_short(cell) for cell in cells) + " |" for call, cells in rows]
    red = reds(results)
    parts += ["", f"{_count(results)} cells, {len(red)} red, {seconds:.0f} s.", *(f"- {line}" for line in red), ""]
    return "\n".join(parts)


def _short(cell: Cell) -> str:
    return "**RED**" if cell.broken else cell.text


def _print(results: Results, console: Console) -> None:
    for start, rows in results.items():
        table = Table(title=start.name, title_justify="left", show_lines=False)
        table.add_column("call", no_wrap=True)
        for fault in FAULTS:
            table.add_column(fault.name, min_width=10)
        step = ""
        for call, cells in rows:
            if call.step != step:
                step = call.step
                table.add_row(f"[bold]{step}[/bold]")
            texts = ["[red]RED[/red]" if cell.broken else f"[green]{cell.text}[/green]" for cell in cells]
            table.add_row(f"  {call.name}", *texts)
        console.print(table)


def _count(results: Results) -> int:
    return sum(len(cells) for rows in results.values() for _, cells in rows)


if __name__ == "__main__":
    sys.exit(main())
