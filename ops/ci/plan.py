"""Decides for the next jobs: which cells to work on, and which commit was deployed last.

Cells are printed as a JSON list of names and environments, for a matrix. The commit is that of the last successful
deployment, from GitHub's API: so the next deployment also covers one that failed or was cancelled by a newer merge.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tenancy
from ops.ci import failure
from ops.ci.failure import Failure
from ops.ci.github import GitHub
from ops.stacks import changed
from tenancy import Fleet
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ci.plan", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--before", metavar="SHA", help="the commit before the merge: cells with a stack that changed")
    which.add_argument("--cell", help="one cell")
    which.add_argument("--all", action="store_true", help="every cell that a pipeline deploys")
    parser.add_argument(
        "--workflow", metavar="FILE", help="with --before: the workflow whose last successful run counts"
    )
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    asked = parser.parse_args()
    root = asked.fleet.resolve()
    fleet = tenancy.load(root, only="")
    if asked.cell and not (asked.cell in fleet.cells and fleet.cells[asked.cell].pipeline):
        raise Failure(f"there is no cell `{asked.cell}` that a pipeline deploys.")
    facts: dict[str, Any] = {}
    stacks: Iterable[str] | None = [asked.cell] if asked.cell else None
    if asked.before is not None:
        facts["since"] = _since(asked.before, asked.workflow, root)
        found = changed.since(facts["since"], root)
        # What is left out counts too: the job that would have done it says why.
        stacks = [*found.stacks, *found.left_out]
    facts["cells"] = json.dumps(matrix(fleet, stacks))
    lines = "".join(f"{name}={value}\n" for name, value in facts.items())
    print(lines, end="")
    if place := os.environ.get("GITHUB_OUTPUT"):
        with Path(place).open("a", encoding="utf-8") as outputs:
            outputs.write(lines)
    return 0


def matrix(fleet: Fleet, stacks: Iterable[str] | None) -> list[dict[str, str]]:
    """Cells with a pipeline, in order; with `stacks` just those that one of them belongs to."""
    concerned = None if stacks is None else {stack.rpartition(".")[2] for stack in stacks}
    return [
        {"cell": slug, "environment": cell.pipeline.github.environment if cell.pipeline.github else slug}
        for slug, cell in sorted(fleet.cells.items())
        if cell.pipeline and (concerned is None or slug in concerned)
    ]


def _since(before: str, workflow: str | None, root: Path) -> str:
    if workflow is None:
        return before
    path = f"actions/workflows/{workflow}/runs?branch=main&event=push&status=success&per_page=1"
    runs = GitHub.of_this_job().ask("GET", path)["workflow_runs"]
    last = str(runs[0]["head_sha"]) if runs else ""
    return last if re.fullmatch(r"[0-9a-f]{40}", last) and _held(last, root) else before


def _held(commit: str, root: Path) -> bool:
    """Whether it is an ancestor: after a forced push the last deployment may be in no history."""
    asked = ["git", "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(asked, cwd=root, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    failure.run(main)
