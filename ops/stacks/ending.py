"""Removes one stack: its protection, its resources, its state.

Owns reading and lifting `protect`. Leaves out who decides that and what must come before (`ops/actions/leave_cell.py`).
The state is asked, not the cell's file: what was deployed as production stays protected whatever the file says today.
"""

from __future__ import annotations

import json
from typing import Any

from pulumi import automation

from ops.errors import OperationError
from ops.stacks.engine import ROOT, Engine, Outcome


def protected(state: str) -> list[str]:
    """The names of what `state`, as `Engine.export` gives it, protects against deletion."""
    resources: list[dict[str, Any]] = json.loads(state).get("resources") or []
    return [resource["urn"].rpartition("::")[2] for resource in resources if resource.get("protect")]


def state_of(engine: Engine, stack: str) -> str:
    """`Engine.export`, with a reason where the state cannot be read: before anything is changed. Raises
    OperationError."""
    try:
        return engine.export(stack)
    except automation.CommandError as error:
        raise OperationError(f"the state of stack {stack} cannot be read, so nothing was changed: {error}") from None


def end(engine: Engine, stack: str) -> Outcome:
    """Destroys and removes `stack`, protected or not: the caller has checked and asked. Safe to repeat.

    Raises OperationFailed and OperationError."""
    if protected(state_of(engine, stack)):
        try:
            automation.PulumiCommand().run(["state", "unprotect", "--all", "--yes", "--stack", stack], str(ROOT), {})
        except automation.CommandError as error:
            raise OperationError(f"the protection of stack {stack} cannot be removed: {error}") from None
    return engine.destroy(stack, remove=True)
