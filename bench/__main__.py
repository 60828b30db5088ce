"""`python -m bench [NAME…] [--quick] [--json] [--home HOME]`: measures the figures, prints and saves the table.

A bench that raises is reported as failed, and the others still run. Exit code 1 if a goal is missed or a bench failed.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import machine, report
from bench.figures import Figure, from_rows
from myflux_keys.redaction import redact

LISTED: Final = ("reader", "thundering_herd", "keyless", "function_costs")
"""Their `run()` returns rows in at most half a minute, so a quick run does the same."""
SCALED: Final = (
    *("reader_outage", "add_tenant", "growth", "many_stacks", "unchanged", "worker_memory"),
    *("page", "health", "connect"),
)
"""Their `run(home, quick=…)` returns figures."""
BENCHES: Final = (*LISTED, *SCALED)

HOME: Final = Path(__file__).resolve().parents[1] / ".local" / "bench"


def figures_of(bench: str, home: Path, *, quick: bool) -> list[Figure]:
    """Runs one bench. Imports it only now, since each bench needs other packages."""
    module = importlib.import_module(f"bench.{bench}")
    if bench in SCALED:
        return module.run(home, quick=quick)
    found = module.run()
    return from_rows(found if isinstance(found, list) else found["rows"])


def take(chosen: list[str], home: Path, *, quick: bool, console: Console) -> report.Report:
    """Runs the chosen benches in order, and prints a line at the end of each."""
    surroundings = machine.describe()
    began, taken_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    figures: dict[str, list[Figure]] = {}
    failed: dict[str, str] = {}
    for name in chosen:
        started = time.monotonic()
        try:
            with console.status(name):
                figures[name] = figures_of(name, home, quick=quick)
            message = f"{len(figures[name])} figures"
        # A table without this bench is more useful than a traceback.
        except Exception as error:  # noqa: BLE001
            message = failed[name] = redact(f"{type(error).__name__}: {error}")
        console.print(f"{name:<16} {time.monotonic() - started:6.1f} s  {message}", markup=False, highlight=False)
    return report.Report(figures, failed, surroundings, taken_at, round(time.monotonic() - began, 1), quick)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(BENCHES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, one sample: only to test that it works")
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout, progress on stderr")
    parser.add_argument("--home", type=Path, default=HOME, help="where cells and reports go (default: .local/bench)")
    arguments = parser.parse_args()
    home: Path = arguments.home.resolve()
    unknown = [name for name in arguments.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {', '.join(unknown)}: there are {', '.join(BENCHES)}")
    console = Console(stderr=arguments.json)
    chosen = [name for name in BENCHES if not arguments.names or name in arguments.names]
    found = take(chosen, home, quick=arguments.quick, console=console)
    # Some of the benches, or a quick run, must not replace the whole table.
    whole = not arguments.quick and len(chosen) == len(BENCHES)
    folder = home if whole else home / "part"
    report.save(found, folder)
    if arguments.json:
        sys.stdout.write(report.as_json(found))
    else:
        report.show(found, console)
        console.print(f"saved: {folder}/report.json, {folder}/report.md", markup=False, highlight=False)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
