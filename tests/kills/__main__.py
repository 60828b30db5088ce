"""Prints the kill table and saves it: `python -m tests.kills`, or `make kill-table`. Takes hours on two cores.

Owns rendering and the order. Leaves out what a cell means (`cells.py`). Exit code 1 when a cell is red.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.kills.cells import OPERATIONS, Outcome, calls, cell
from tests.kills.processes import VICTIMS, Victim
from tests.tenants_life.conftest import Life, two_cells


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="The kill table of four operations.")
    parser.add_argument("--out", type=Path, default=Path(".local/kill-table.md"), help="where it is saved")
    parser.add_argument("--moments", type=int, default=30, help="how many calls of each operation are struck")
    parser.add_argument("--operations", nargs="*", default=[one.name for one in OPERATIONS])
    parser.add_argument("--victims", nargs="*", default=list(VICTIMS))
    wanted = parser.parse_args(arguments)
    victims: list[Victim] = [one for one in VICTIMS if one in wanted.victims]
    lines, red = ["# Kill table", ""], list[str]()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="myflux-kills-") as home, two_cells(Path(home)) as life:
        # The runtime's reader looks for AWS where this process's environment says.
        os.environ.update(life.environment)
        for operation in OPERATIONS:
            if operation.name not in wanted.operations:
                continue
            found = _rows(life, operation.name, wanted.moments, victims)
            lines += [*_table(operation.name, found, victims), ""]
            red += [
                f"{operation.name}, call {call}, {victim} killed: {'; '.join(outcome.wrong)}"
                for call, outcomes in found.items()
                for victim, outcome in outcomes.items()
                if outcome.wrong
            ]
            _save(wanted.out, [*lines, *(f"- {line}" for line in red)])
    summary = f"{len(red)} red, {time.monotonic() - began:.0f} s."
    document = [*lines, summary, *(f"- {line}" for line in red)]
    _save(wanted.out, document)
    print("\n".join(document))
    return 1 if red else 0


def _rows(life: Life, name: str, moments: int, victims: Sequence[Victim]) -> dict[int, dict[str, Outcome]]:
    operation = next(one for one in OPERATIONS if one.name == name)
    total = calls(life, operation, f"{name}-count")
    chosen = struck(total, moments)
    print(f"{name}: {total} calls, of which {len(chosen)} are struck", file=sys.stderr, flush=True)
    found: dict[int, dict[str, Outcome]] = {}
    for call in chosen:
        found[call] = {}
        for victim in victims:
            began = time.monotonic()
            found[call][victim] = outcome = cell(life, operation, f"{name}-{victim}-{call}", victim, call)
            told = "; ".join(outcome.wrong) or outcome.text
            print(f"{name} {call} {victim}: {told} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
    return found


def struck(total: int, moments: int) -> list[int]:
    """The numbers of the calls, from 0: all of them, or so many with the same distance. Pure."""
    several = min(moments, total)
    return [total * number // several for number in range(several)]


def _table(name: str, found: dict[int, dict[str, Outcome]], victims: Sequence[str]) -> list[str]:
    rows = [
        f"| {call} | " + " | ".join("**RED**" if one.wrong else one.text for one in outcomes.values()) + " |"
        for call, outcomes in found.items()
    ]
    return [f"## {name}", "", "| after call | " + " | ".join(victims) + " |", "|---" * (len(victims) + 1) + "|", *rows]


def _save(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
