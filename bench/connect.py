"""The connect page when 500 customers use their links at once: who ends saved, who is told "busy", who is lost.

A cell that the real engine deployed. Each customer has a link and a key, and goes the page's way by HTTP: open, check,
save. Where Lambda has no execution free (429) they try again for a minute, as the page's script does; whoever was still
told "busy" then presses the button once more, a few at a time. The page has ten executions; in AWS each has a processor
of its own, and here all of them share this machine's.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import tenancy
from bench.figures import Figure, at_most
from local.cell import LocalCell
from myflux_keys.cell_functions import CONNECT
from ops.account import Account
from ops.actions import connect_links
from tests.connect.visitor import Customer, at_once
from tests.customer_key.theirs import TheirOpenAI
from tests.program.rig import CELL, Rig

CROWD: Final = 500
QUICK: Final = 12
FEW: Final = 8
TENANT: Final = "initech"
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds: those of the page's script (`functions/connect/page`)."""


def run(home: Path, *, quick: bool = False) -> list[Figure]:
    """Some minutes."""
    size = QUICK if quick else CROWD
    with _deployed(home / "connect") as rig, _account(rig) as own:
        tenant, theirs = tenancy.load(rig.fleet).tenants[TENANT], TheirOpenAI(rig.cell)
        now = own.check()
        customers = [
            Customer(connect_links.make(own, tenant, now, seconds=86_400, language="es"), theirs.key()[1])
            for _ in range(size)
        ]
        with counted(rig.cell, rig.names.function(CONNECT)) as executions:
            at_once(rig.cell, customers, PAUSES)
            first = [one.saved for one in customers]
            at_once(rig.cell, [one for one in customers if not one.saved], PAUSES, most=FEW)
        states = {one.place.id: one.state for one in connect_links.statuses(own, TENANT, now)}
    return figures(customers, first, states, max(executions, default=0) or None)


def figures(
    customers: Sequence[Customer], first: Sequence[bool], states: dict[str, str], executions: int | None
) -> list[Figure]:
    """`first`: who had saved while all were there. `states` by link, after the others had too. `executions`: the most
    at once, None where they could not be counted."""
    answers = sum((one.answers for one in customers), Counter[int]())
    longest = max((one.seconds for one, saved in zip(customers, first, strict=True) if saved), default=0.0)
    lost = [one for one in customers if not one.saved or states.get(one.made.link.id) not in ("handed in", "waiting")]
    crowd = f"{len(customers):,} links at once"
    told = ", ".join(f"{count:,} of {status}" for status, count in sorted(answers.items()))
    return [
        Figure(f"{crowd}: saved within the minute of tries", sum(first), "customers"),
        Figure(f"{crowd}: told busy, and saved by one more press", len(first) - sum(first), "customers"),
        at_most(f"{crowd}: lost", len(lost), "customers", 0),
        at_most(f"{crowd}: executions of the page at once", executions, "executions", CONNECT.reserved),
        Figure(f"{crowd}: answers", answers.total(), "answers", note=told),
        Figure(f"{crowd}: the slowest that saved", round(longest, 1), "s"),
    ]


@contextmanager
def counted(cell: LocalCell, function: str) -> Generator[list[int]]:
    """How many processes run the function, several times a second: the local cell has one for each execution. Stays
    empty where the system does not show its processes as Linux does."""
    counts, ended, processes = list[int](), threading.Event(), Path("/proc")
    named = str(cell.home / "tmp" / f"ministack-lambda-{function}-").encode()

    def runs(process: Path) -> bool:
        try:
            return named in (process / "cmdline").read_bytes()
        except OSError:
            return False

    def count() -> None:
        while not ended.wait(0.2):
            counts.append(sum(map(runs, processes.glob("[0-9]*"))))

    watching = threading.Thread(target=count)
    if processes.is_dir():
        watching.start()
    try:
        yield counts
    finally:
        ended.set()
        if watching.ident is not None:
            watching.join()


def _account(rig: Rig) -> Account:
    return Account(tenancy.load(rig.fleet).cells[CELL], "bench", session=rig.cell.session("deployer"))


@contextmanager
def _deployed(home: Path) -> Generator[Rig]:
    """A cell with connect in `home`, and one customer's place. It is deleted afterwards."""
    shutil.rmtree(home, ignore_errors=True)
    cell = LocalCell.start(home / "cell")
    before = dict(os.environ)
    try:
        rig = Rig(cell, home / "fleet", home / "said")
        rig.said.mkdir()
        rig.another_fleet(rig.fleet)
        with (rig.fleet / "cells" / f"{CELL}.yaml").open("a", encoding="utf-8") as file:
            file.write("connect: {enabled: true}\n")
        cell.openai.settings(admin_requests_per_minute=0)
        os.environ.update(cell.environment("deployer"))
        rig.up(CELL)
        rig.up(f"{TENANT}.{CELL}")
        yield rig
    finally:
        os.environ.clear()
        os.environ.update(before)
        cell.stop()
        shutil.rmtree(home, ignore_errors=True)
