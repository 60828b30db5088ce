"""By hand, after an approval: rotates a tenant's key now, or ends a tenant for good.

`offboard` moves the tenant's file to tenants/archive/. The move is pushed to its own branch; merge it at once, because
until then main still has the tenant's file.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import tenancy
from ops.ci import failure, summary
from ops.ci.command import CellJob, cell_job
from ops.ci.failure import Failure
from ops.stacks.git import git
from tenancy.loading import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ci.operate", description=__doc__)
    parser.add_argument("operation", choices=("rotate", "offboard"))
    parser.add_argument("tenant")
    parser.add_argument("--cell", required=True, help="the cell whose deployer role this job becomes")
    parser.add_argument("--reason", required=True, help="the reason, which CloudTrail and `myflux-keys history` show")
    parser.add_argument("--fleet", type=Path, default=ROOT, help="folder that holds tenants/ and cells/")
    arguments = parser.parse_args()
    root = arguments.fleet.resolve()
    tenant = tenancy.load(root, only=arguments.tenant).tenants.get(arguments.tenant)
    if tenant is None or tenant.cell != arguments.cell:
        # The approval is for one cell only.
        raise Failure(f"cell {arguments.cell} has no tenant `{arguments.tenant}`. Nothing was changed.")
    job = cell_job(root, arguments.cell)
    if arguments.operation == "rotate":
        code = job.keys("rotate", tenant.tenant, "--wait", "--yes", "--reason", arguments.reason).code
        result = "is rotated" if code == 0 else "is not rotated: see the log"
    else:
        code, result = _offboard(job, tenant.tenant, arguments.reason)
    summary.write(f"## {tenant.tenant} {result}")
    return code


def _offboard(job: CellJob, tenant: str, reason: str) -> tuple[int, str]:
    code = job.keys("offboard", tenant, "--yes", "--reason", reason).code
    if code:
        return code, "is not completely off-boarded: run this job again to continue"
    branch = f"offboard/{tenant}"
    _git(job.root, "switch", "--create", branch)
    _git(job.root, "add", "--all", "tenants")
    _git(
        job.root,
        "-c",
        "user.name=myflux-keys",
        "-c",
        "user.email=myflux-keys@users.noreply.github.com",
        "commit",
        "--quiet",
        "--message",
        f"Off-board {tenant}\n\n{reason}",
    )
    _git(job.root, "push", "--quiet", "origin", branch)
    return 0, f"is off-boarded. Merge the branch {branch} now: until then main still has its file"


def _git(root: Path, *arguments: str) -> None:
    done = git(root, *arguments)
    if done.returncode:
        # A remote's address may hold a token.
        message = re.sub(r"//[^@\s/]+@", "//", done.stderr.decode(errors="replace").strip())
        raise Failure(f"`git {arguments[0]}` failed: {message}")


if __name__ == "__main__":
    failure.run(main)
