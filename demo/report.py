"""The demo's report: a line for each check while it runs, a table at the end, and a JSON file.

A check that raises has failed, and the report has its message. A check that did not run, because an earlier one failed,
counts as failed too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from myflux_keys.redaction import redact


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    seconds: float
    detail: str


class CheckFailed(Exception):
    """A check failed. The message says what it found."""


class Report:
    def __init__(self, path: Path, console: Console) -> None:
        self._path = path
        self._console = console
        self._checks: list[Check] = []
        self.figures: dict[str, float | int | str] = {}

    @property
    def ok(self) -> bool:
        return bool(self._checks) and all(check.ok for check in self._checks)

    def run(self, name: str, check: Callable[[], str]) -> bool:
        """Runs `check`, which returns one sentence about its result, and prints the line."""
        started = time.monotonic()
        try:
            with self._console.status(name):
                detail, ok = check(), True
        # Every exception goes into the report: the demo must end with a table, not with a traceback.
        except Exception as error:  # noqa: BLE001
            detail, ok = f"{type(error).__name__}: {error}", False
        self._record(Check(name, ok, round(time.monotonic() - started, 2), redact(detail)))
        return ok

    def leave_out(self, name: str, reason: str) -> None:
        self._record(Check(name, ok=False, seconds=0.0, detail=f"not run: {reason}"))

    def _record(self, check: Check) -> None:
        self._checks.append(check)
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
        self._console.print(f"{mark} {check.name:<24} {check.seconds:6.1f} s  ", end="", highlight=False)
        self._console.print(check.detail, markup=False, highlight=False)
        self._save()

    def _save(self) -> None:
        """After every check, so that an interrupted demo keeps its results."""
        document: dict[str, Any] = {"checks": [asdict(check) for check in self._checks], "figures": self.figures}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def finish(self) -> None:
        self._save()
        passed = sum(check.ok for check in self._checks)
        # Not the table's title, which would be wrapped to the width of the figures.
        verdict = f"\n{passed} of {len(self._checks)} checks passed"
        self._console.print(verdict, style="bold green" if self.ok else "bold red", highlight=False)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("figure")
        table.add_column("value", justify="right")
        for figure, value in self.figures.items():
            table.add_row(figure.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
        self._console.print(table)
