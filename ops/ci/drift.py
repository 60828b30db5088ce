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
    asked = parser.parse_args()
    job = cell_job(asked.fleet, asked.cell)
    read = job.keys("refresh", "--cell", asked.cell)
    if read.code:
        summary.write(summary.unread(asked.cell, read.facts))
        return read.code
    # A refresh alone finds a difference just once: from then on the state agrees with AWS, and the files still don't.
    compared = job.keys("preview", "--cell", asked.cell)
    drifted = summary.drifted(compared.facts)
    summary.write(summary.drift(asked.cell, drifted, whole=compared.code == 0))
    return 1 if drifted else compared.code


if __name__ == "__main__":
    failure.run(main)
