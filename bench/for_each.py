"""Terraform with every tenant in one state, by `for_each`, on the same emulator."""

from __future__ import annotations

import os

from bench import stage, terraform
from bench.measure import seconds


def opened(here: stage.Stage) -> tuple[terraform.Workspace | None, str]:
    """A workspace without tenants, and the peer's name; or None and the reason, if the peer is not on this machine."""
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
    # Terraform writes secret values and reads them at every plan; our deployer has no permission for either.
    environment = here.cell.environment("administrator")
    return terraform.Workspace(peer, here.home / "terraform", environment, settings), str(peer)


def one_more(workspace: terraform.Workspace, wanted: int) -> float:
    """Seconds to apply `wanted` tenants, one more than before. Raises RuntimeError if the state has another number."""
    taken = seconds(lambda: workspace.apply(wanted))
    if workspace.tenants() != wanted:
        raise RuntimeError(f"Terraform's state holds {workspace.tenants()} tenants, not {wanted}")
    return taken
