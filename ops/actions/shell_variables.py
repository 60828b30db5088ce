"""What Pulumi's own command needs to work on one cell's stacks."""

from __future__ import annotations

from pathlib import Path

import tenancy
from ops import selection, state_place
from ops.errors import OperationError


def shell_variables(root: Path, cell: str) -> dict[str, str]:
    """By name; empty for one that must not be set.

    Raises OperationError where the cell's file names no place of the state, and TenancyError.
    """
    (found,) = selection.cells(tenancy.load(root, only=""), cell)
    if found.kept_in is None:
        raise OperationError(
            f"cells/{cell}.yaml has no `state`, so {state_place.BACKEND} of your shell decides where Pulumi keeps it: "
            "write state: {bucket: ..., kms_key: ...} there. docs/state.md says how to move what is deployed."
        )
    return state_place.for_a_shell(found).for_a_person
