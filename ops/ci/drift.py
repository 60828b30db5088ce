"""Nightly: refreshes the stacks of one cell from AWS, and reports where AWS differs from the files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ops.ci import failure, summary
from ops.ci.command import cell_job
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ops.ci.drift",
        description=__doc__,
        epilog="Exits with 1 if something differs or could not be read. The next `up` corrects it.",
    )
    parser.add_argument("--cell", required=True, help="the cell whose deployer role this job becomes")
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    arguments = parser.parse_args()
    job = cell_job(arguments.fleet, arguments.cell)
    read = job.keys("refresh", "--cell", arguments.cell)
    if read.code:
        summary.write(summary.unread(arguments.cell, read.facts))
        return read.code
    # A refresh alone shows a difference only once: then the state agrees with AWS, and the files still differ.
    compared = job.keys("preview", "--cell", arguments.cell)
    drifted = summary.drifted(compared.facts)
    summary.write(summary.drift(arguments.cell, drifted, whole=compared.code == 0))
    return 1 if drifted else compared.code


if __name__ == "__main__":
    failure.run(main)
