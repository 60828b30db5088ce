"""Terraform's way beside ours: every tenant in one state, by `for_each`, on the same emulator.

Owns a working folder for a stage, and what one more tenant takes there. Leaves out the peer itself (`terraform.py`) and
the comparisons.
"""

from __future__ import annotations

import os

from bench import stage, terraform
from bench.measure import seconds


def opened(here: stage.Stage) -> tuple[terraform.Workspace | None, str]:
    """A folder without tenants yet, and the peer's name; None, and why, where the peer is not on this machine."""
    try:
        peer = terraform.find(os.environ)
    except terraform.NotThere as missing:
        return None, f"not there: {missing}"
    names = here.names
    settings = {
        "endpoint": here.cell.aws_url,
        "region": here.cell.region,
        "cell": names.cell,
        "rotation_function": names.rotation_function_arn,
        "principals": [
            f"arn:{names.partition}:iam::{names.account_id}:user/administrator",
            names.runtime_role_arn,
            names.role_arn(names.rotation_function),
        ],
    }
    # Terraform's user writes values and reads them back at every plan: our deployer may do neither.
    environment = here.cell.environment("administrator")
    return terraform.Workspace(peer, here.home / "terraform", environment, settings), str(peer)


def one_more(workspace: terraform.Workspace, wanted: int) -> float:
    """Seconds until it holds `wanted`, one more than before. Raises RuntimeError where it then doesn't."""
    taken = seconds(lambda: workspace.apply(wanted))
    if workspace.tenants() != wanted:
        raise RuntimeError(f"Terraform's state holds {workspace.tenants()} tenants, not {wanted}")
    return taken
