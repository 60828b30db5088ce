"""On a pull request: reviews what it changes, and writes the report to a folder for the next job.

Needs no credential, no state and no network, so it can run a fork's code safely. That code may do anything, so
`ops.ci.comment` does not trust the report.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from myflux_keys.redaction import redact
from ops.ci import failure
from ops.ci.report import NUMBER, REPORT
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ops.ci.check",
        description=__doc__,
        epilog="Exit codes are those of `myflux-keys check`: 0 all checks pass, 1 a rule fails, 2 something could not "
        "be checked.",
    )
    parser.add_argument("--base", required=True, metavar="REF", help="the branch to merge into")
    parser.add_argument("--number", type=int, metavar="N", help="the pull request's number, for the comment")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="the folder to write the report to")
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ops.cli",
            "check",
            "--base",
            arguments.base,
            "--no-state",
            "--fleet",
            arguments.fleet.resolve(),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stderr.write(redact(done.stderr))
    # Without a report nothing was checked: the author then needs the error instead.
    report = done.stdout if done.stdout.strip() else f"`myflux-keys check` wrote no report:\n\n{_quoted(done.stderr)}"
    (out / REPORT).write_text(redact(report), encoding="utf-8")
    if arguments.number is not None:
        (out / NUMBER).write_text(f"{arguments.number}\n", encoding="utf-8")
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as page:
            page.write(redact(report))
    return done.returncode


def _quoted(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip().splitlines())


if __name__ == "__main__":
    failure.run(main)
