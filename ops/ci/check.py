"""On a pull request: reviews what it changes, and leaves the report where the next job finds it.

Needs no credential, no state and no network, so it is safe to run on a fork's code, which may be anything: what it
leaves behind is data from a stranger, and `ops.ci.comment` treats it so.
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
    asked = parser.parse_args()
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ops.cli",
            "check",
            "--base",
            asked.base,
            "--no-state",
            "--fleet",
            asked.fleet.resolve(),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stderr.write(redact(done.stderr))
    # Without a report nothing was judged, and what was said instead is what the author needs to see.
    report = done.stdout if done.stdout.strip() else f"`myflux-keys check` wrote no report:\n\n{_quoted(done.stderr)}"
    (out / REPORT).write_text(redact(report), encoding="utf-8")
    if asked.number is not None:
        (out / NUMBER).write_text(f"{asked.number}\n", encoding="utf-8")
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(place).open("a", encoding="utf-8") as page:
            page.write(redact(report))
    return done.returncode


def _quoted(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.strip().splitlines())


if __name__ == "__main__":
    failure.run(main)
