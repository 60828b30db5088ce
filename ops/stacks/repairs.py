"""Repairs a stack after an error that an earlier, killed engine has caused, so that the same operation can be repeated.

For operations that nothing has prepared (`work` prepares its own). Leaves out the repair itself (`state_file`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from ops import selection, state_place
from ops.stacks import backend, lock_process, state_file


def usable_again(environment: Mapping[str, str], stack: str, project: Path, output: str) -> bool:
    """Whether the stack was repaired after the error in the engine's `output`. `environment` is the engine's own,
    beside this process's; `project` is the folder of a Pulumi.yaml. Raises Unreadable where only a person can."""
    url = environment.get(state_place.BACKEND) or os.environ.get(state_place.BACKEND, "")
    if not url:
        return False
    name = yaml.safe_load((project / "Pulumi.yaml").read_text("utf-8"))["name"]
    if backend.TAKEN in output:
        return bool(lock_process.free(url, stack, name))
    if state_file.UNREADABLE not in output:
        return False
    # A tenant's program reads the state of its platform too.
    repaired = [state_file.opened(url, one, name).repaired for one in {stack, selection.cell_of(stack)}]
    return any(repaired)
