"""Decides for the next jobs: which cells to work on, and which commit was deployed last.

Cells are printed as a JSON list of names and environments, for a matrix. The commit is that of the last successful
deployment, from GitHub's API: so the next deployment also covers one that failed or was cancelled.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tenancy
from ops import selection
from ops.ci import failure
from ops.ci.failure import Failure
from ops.ci.github import GitHub
from ops.stacks import changed
from ops.stacks.choice import UNKNOWN_CELL
from ops.stacks.git import git
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
    arguments = parser.parse_args()
    root = arguments.fleet.resolve()
    fleet = tenancy.load(root, only="")
    if arguments.cell and not (arguments.cell in fleet.cells and fleet.cells[arguments.cell].pipeline):
        raise Failure(f"there is no cell `{arguments.cell}` that a pipeline deploys.")
    facts: dict[str, Any] = {}
    stacks: Iterable[str] | None = [arguments.cell] if arguments.cell else None
    if arguments.before is not None:
        facts["since"] = _since(arguments.before, arguments.workflow, root)
        found = changed.since(facts["since"], root)
        # Includes the stacks that are left out: the deployment's job reports the reason.
        stacks = [*found.stacks, *found.left_out]
    facts["cells"] = json.dumps(matrix(fleet, stacks))
    lines = "".join(f"{name}={value}\n" for name, value in facts.items())
    print(lines, end="")
    if place := os.environ.get("GITHUB_OUTPUT"):
        with Path(place).open("a", encoding="utf-8") as outputs:
            outputs.write(lines)
    return 0


def matrix(fleet: Fleet, stacks: Iterable[str] | None) -> list[dict[str, str]]:
    """Cells with a pipeline, in order; with `stacks` only the cells of these stacks."""
    concerned = None if stacks is None else set(map(selection.cell_of, stacks))
    return [
        {"cell": slug, "environment": cell.pipeline.github.environment if cell.pipeline.github else slug}
        for slug, cell in sorted(fleet.cells.items())
        if cell.pipeline and (concerned is None or concerned & {slug, UNKNOWN_CELL})
    ]


def _since(before: str, workflow: str | None, root: Path) -> str:
    if workflow is None:
        return before
    path = f"actions/workflows/{workflow}/runs?branch=main&event=push&status=success&per_page=1"
    runs = GitHub.of_this_job().ask("GET", path)["workflow_runs"]
    last = str(runs[0]["head_sha"]) if runs else ""
    return last if re.fullmatch(r"[0-9a-f]{40}", last) and _is_ancestor(last, root) else before


def _is_ancestor(commit: str, root: Path) -> bool:
    """Whether `commit` is an ancestor of HEAD: after a forced push the last deployed commit may not be."""
    return git(root, "merge-base", "--is-ancestor", commit, "HEAD").returncode == 0


if __name__ == "__main__":
    failure.run(main)
