"""Changes everything that the program registers, one thing at a time, and asks the pack: `python -m tests.mutants`, or
`make mutants`.

Owns the run and what it prints: the figure, a table by type, and each survivor's reason. Exit code 1 when a mutant
survives without a reason, or a reason speaks of none.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.mutants.harmless import HARMLESS
from tests.mutants.hunt import HUNTED
from tests.mutants.tally import CHUNKS, Tally, hunted

_PROCESSES = 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="The pack against changed stacks.")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    as_json: bool = parser.parse_args(arguments).json
    progress, total = Console(stderr=True), Tally()
    parts = [(name, chunk) for name in HUNTED for chunk in range(CHUNKS)]
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for done, tally in enumerate(pool.map(hunted, *zip(*parts, strict=True)), 1):
            total.add(tally)
            progress.print(f"{done}/{len(parts)}: {total.made.total()} mutants", end="\r")
    progress.print()
    idle = sorted({one.because for one in HARMLESS} - set(total.harmless))
    if as_json:
        print(json.dumps(_figures(total, idle), indent=2))
    else:
        _print(total, idle, Console())
    return 1 if total.survivors or idle else 0


def _figures(total: Tally, idle: list[str]) -> dict[str, Any]:
    return {
        "mutants": total.made.total(),
        "caught": total.caught.total(),
        "harmless": total.harmless.total(),
        "survivors": total.survivors,
        "by_type": {one: {"mutants": n, "caught": total.caught[one]} for one, n in sorted(total.made.items())},
        "reasons": dict(total.harmless.most_common()),
        "reasons_of_none": idle,
    }


def _print(total: Tally, idle: list[str], console: Console) -> None:
    types = Table("Type", "Mutants", "Caught", "Harmless or unexplained")
    for type_, made in sorted(total.made.items()):
        types.add_row(type_, str(made), str(total.caught[type_]), str(made - total.caught[type_]))
    console.print(types)
    reasons = Table("Survivors", "Why they are harmless")
    for because, count in total.harmless.most_common():
        reasons.add_row(str(count), because)
    console.print(reasons)
    for line in total.survivors:
        console.print(f"SURVIVES WITHOUT A REASON {line}", markup=False)
    for line in idle:
        console.print(f"A REASON OF NO MUTANT {line}", markup=False)
    console.print(
        f"{total.made.total()} mutants: {total.caught.total()} caught, {total.harmless.total()} harmless, "
        f"{len(total.survivors)} unexplained"
    )


if __name__ == "__main__":
    sys.exit(main())
