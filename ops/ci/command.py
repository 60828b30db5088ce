"""Runs `myflux-keys` as one cell's pipeline, with the cell's session and state backend.

Commands are called, not imported: a person can type what a pipeline does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tenancy
from ops.ci import identity
from ops.ci.failure import Failure
from tenancy import Cell
from tenancy.loading import ROOT
from tenancy.pipeline import Pipeline
from tools import engine


@dataclass(frozen=True)
class CommandResult:
    code: int
    facts: dict[str, Any]
    """What the command printed as JSON; empty where it printed none."""


@dataclass(frozen=True)
class CellJob:
    """A job of one cell's pipeline. `root` holds tenants/ and cells/."""

    cell: Cell
    pipeline: Pipeline
    root: Path
    environment: Mapping[str, str]

    def keys(self, *arguments: str) -> CommandResult:
        """Runs `myflux-keys` with --json. Its progress goes to stderr at once."""
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", *arguments, "--fleet", str(self.root), "--json"],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        return CommandResult(done.returncode, json.loads(done.stdout) if done.stdout.strip() else {})


def pipeline_of(root: Path, cell: str) -> tuple[Cell, Pipeline]:
    found = tenancy.load(root, only="").cells.get(cell)
    if found is None:
        raise Failure(f"there is no cell `{cell}` in {root / 'cells'}.")
    if found.pipeline is None:
        raise Failure(f"cell {cell} is not deployed by a pipeline: its file has no `pipeline`.")
    return found, found.pipeline


def cell_job(root: Path, slug: str) -> CellJob:
    """Becomes the cell's deployer role. Raises Failure."""
    cell, pipeline = pipeline_of(root.resolve(), slug)
    environment = identity.session(cell, pipeline, _run(os.environ), os.environ)
    if found := engine.locate(environment):
        environment["PATH"] = os.pathsep.join([str(found.folder), environment.get("PATH", os.defpath)])
    return CellJob(cell, pipeline, root.resolve(), environment)


def _run(environment: Mapping[str, str]) -> str:
    """The session's name, which CloudTrail records: it holds the number of the CI run."""
    number = environment.get("GITHUB_RUN_ID") or environment.get("CI_PIPELINE_ID") or "by-hand"
    return f"myflux-keys-{number}"[:64]
