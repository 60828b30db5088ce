"""Deploys the previous version, upgrades to this one and goes one step back: `python -m tests.upgrade`, or
`make upgrade`.

Owns the run and what it prints: each step with its time. Needs the repository's history. Exit code 1 when a step fails;
what the commands printed is kept then.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demo.report import Report
from tests.upgrade import version
from tests.upgrade.road import Road
from tests.upgrade.stage import Stage


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description="An upgrade, and one step back.")
    parser.add_argument("--previous", metavar="COMMIT", help="the version to begin with; default: the last release")
    commit: str = parser.parse_args(arguments).previous or version.previous()
    # So that the cell and the worktree go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = Path(tempfile.mkdtemp(prefix="upgrade-"))
    report, keep = Report(home / "report.json", Console()), False
    try:
        with version.checked_out(commit, home) as previous:
            stage = Stage(home, previous)
            try:
                play(Road(stage), report)
            finally:
                stage.close()
        spent = os.times()
        report.figures["cpu_seconds_of_the_commands"] = round(spent.children_user + spent.children_system)
        report.finish()
        keep = not report.ok
    finally:
        if not keep:
            shutil.rmtree(home)
    if keep:
        print(f"What the commands printed is in {home}/commands.log; delete {home} afterwards.")
    return int(keep)


def play(road: Road, report: Report) -> None:
    """Each step needs those before it: after one that fails the others are left out."""
    failed = ""
    for name, step in road.steps():
        if failed:
            report.leave_out(name, f"{failed} failed")
        elif not report.run(name, step):
            failed = name


if __name__ == "__main__":
    sys.exit(main())
