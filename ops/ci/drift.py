"""Nightly: refreshes the stacks of one cell from AWS, and reports where AWS differs from the files.

A pipeline that deploys tenants only compares the platform with AWS: it cannot write the platform's state.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tenancy
from ops.ci import failure, summary
from ops.ci.command import CellJob, cell_job
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ops.ci.drift",
        description=__doc__,
        epilog="Exits with 1 if something differs or could not be read. The next `up` corrects it, for a platform "
        "after `myflux-keys refresh` if the pipeline deploys only tenants.",
    )
    parser.add_argument("--cell", required=True, help="the cell whose deployer role this job becomes")
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    arguments = parser.parse_args()
    job = cell_job(arguments.fleet, arguments.cell)
    everything = job.pipeline.deploys == "everything"
    if chosen := ["--cell", arguments.cell] if everything else _tenants(job):
        read = job.keys("refresh", *chosen)
        if read.code:
            summary.write(summary.unread(arguments.cell, read.facts))
            return read.code
    # A refresh alone shows a difference only once: then the state agrees with AWS, and the files still differ.
    compared = job.keys("preview", "--cell", arguments.cell, "--refresh")
    drifted = summary.drifted(compared.facts)
    summary.write(summary.drift(arguments.cell, drifted, whole=compared.code == 0, refreshed=everything))
    return 1 if drifted else compared.code


def _tenants(job: CellJob) -> list[str]:
    return [tenant.tenant for tenant in tenancy.load(job.root).tenants_of(job.cell.cell)]


if __name__ == "__main__":
    failure.run(main)
