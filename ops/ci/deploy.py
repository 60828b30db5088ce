"""After a merge: deploys the stacks of one cell that the merge changed."""

from __future__ import annotations

import argparse
from pathlib import Path

from ops.ci import failure, summary
from ops.ci.command import cell_job, pipeline_of
from ops.ci.failure import Failure
from ops.stacks import changed
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ci.deploy", description=__doc__)
    parser.add_argument("--cell", required=True, help="the cell whose deployer role this job becomes")
    parser.add_argument("--since", required=True, metavar="SHA", help="the commit before the merge")
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    arguments = parser.parse_args()
    root = arguments.fleet.resolve()
    _, pipeline = pipeline_of(root, arguments.cell)
    platforms = changed.since(arguments.since, root).platforms
    if arguments.cell in platforms and pipeline.deploys == "tenants":
        raise Failure(
            f"the merge also changes the platform of cell {arguments.cell}, and this pipeline may deploy only tenants. "
            f"A deployer must run `myflux-keys up --cell {arguments.cell}`, which includes its tenants. Nothing was "
            "changed."
        )
    result = cell_job(root, arguments.cell).keys("up", "--cell", arguments.cell, "--changed", arguments.since)
    summary.write(summary.deployed(arguments.cell, result.facts))
    return result.code


if __name__ == "__main__":
    failure.run(main)
