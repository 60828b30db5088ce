"""Strikes the kill table, prints and saves it: `python -m tests.kills`, or `make kill-table`.

Owns the run. Leaves out what a cell means (`cells.py`), order and file (`table.py`). A run goes on where an earlier one
of the same code has ended. Exit code 1 when a cell is red, 3 when none is and some are not struck yet.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.commands.client import servers
from tests.kills import table
from tests.kills.cells import OPERATIONS, Operation, Outcome, Whole, cell, whole
from tests.kills.processes import VICTIMS, Victim
from tests.kills.switching import SWITCHES
from tests.kills.table import Key, Table
from tests.tenants_life.conftest import Life, two_cells

_BY_NAME = {operation.name: operation for operation in (*OPERATIONS, *SWITCHES)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description="The kill table.")
    parser.add_argument(
        "--out", type=Path, default=Path(".local/kill-table.md"), help="where it is saved, as .json too"
    )
    parser.add_argument(
        "--moments",
        type=int,
        default=30,
        help="how many moments of each operation are struck; of those that end in -own every one",
    )
    parser.add_argument("--operations", nargs="*", choices=list(_BY_NAME), default=list(_BY_NAME))
    parser.add_argument("--victims", nargs="*", choices=VICTIMS, default=list(VICTIMS))
    parser.add_argument("--minutes", type=float, help="begin no cell later than this; the next run goes on")
    wanted = parser.parse_args(arguments)
    out: Path = wanted.out
    found = table.read(out.with_suffix(".json"), table.code_digest())
    # A background job ignores the one and is ended by the other: both end the cell too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    last = began + wanted.minutes * 60 if wanted.minutes else float("inf")
    with ExitStack() as running:
        running.enter_context(servers())
        home = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="myflux-kills-")))
        # No schedule calls a function in the middle of a cell. The engine's memory is collected less often.
        os.environ.update({"MYFLUX_LOCAL_SCHEDULES": "off", "GOGC": "400"})
        life = running.enter_context(two_cells(home, federation=True))
        # The runtime's reader looks for AWS where this process's environment says.
        os.environ.update(life.environment)
        complete = _strike(life, found, wanted.operations, wanted.victims, wanted.moments, last, out)
    document = table.markdown(found, wanted.moments)
    print(document)
    print(f"{time.monotonic() - began:.0f} s; saved to {out}")
    return 1 if found.red else 0 if complete else 3


def _strike(
    life: Life,
    found: Table,
    operations: Sequence[str],
    victims: Sequence[Victim],
    most: int,
    last: float,
    out: Path,
) -> bool:
    """Every cell that `found` does not have; False if time ran out before."""
    for name in operations:
        if name not in found.whole:
            found.whole[name] = one = _whole(life, _BY_NAME[name])
            _tell(f"{name}: {one.calls} calls, {', '.join(sorted(one.victims))}")
    for keys in table.rounds({name: found.whole[name] for name in operations}, most, victims):
        new = [key for key in keys if key not in found.struck]
        if new and time.monotonic() < last:
            began = time.monotonic()
            _begin(life, new)
            _tell(f"{len(new)} tenants begun ({time.monotonic() - began:.0f} s)")
        for key in new:
            if time.monotonic() > last:
                return False
            began = time.monotonic()
            found.struck[key] = one = _outcome(life, key)
            _tell(
                f"{key}: {'RED ' + '; '.join(one.wrong) if one.wrong else one.text} ({time.monotonic() - began:.0f} s)"
            )
            _save(out, found, most)
    return True


def _whole(life: Life, operation: Operation) -> Whole:
    slug = f"{operation.name}-whole"
    operation.begin(life, [slug])
    return whole(life, operation, slug)


def _begin(life: Life, keys: Sequence[Key]) -> None:
    """Together, for the operations that need the same."""
    slugs: dict[Callable[[Life, Sequence[str]], None], list[str]] = {}
    for key in keys:
        slugs.setdefault(_BY_NAME[key.operation].begin, []).append(key.slug)
    for begin, several in slugs.items():
        begin(life, several)


def _outcome(life: Life, key: Key) -> Outcome:
    try:
        return cell(life, _BY_NAME[key.operation], key.slug, key.victim, key.moment)
    except Exception as error:  # noqa: BLE001 - such as a command without an end: the next cells are struck
        return Outcome("", (f"{type(error).__name__}: {error}",))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _save(out: Path, found: Table, most: int) -> None:
    table.save(out.with_suffix(".json"), found)
    out.write_text(table.markdown(found, most), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
