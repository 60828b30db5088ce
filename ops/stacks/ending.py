"""Removes one stack: its protection, its resources, its state.

`protect` is read from the state, not from the cell's file: what was deployed as production stays protected, also if the
file has changed. Leaves out the decision, and the steps before (`ops/actions/leave_cell.py`).
"""

from __future__ import annotations

import json
from typing import Any

from pulumi import automation

from ops.errors import OperationError
from ops.stacks.engine import Engine, Outcome
from ops.stacks.settling import settled


def protected(state: str) -> list[str]:
    """The names of the resources that `state`, as `Engine.export` returns it, protects from deletion."""
    resources: list[dict[str, Any]] = json.loads(state).get("resources") or []
    return [resource["urn"].rpartition("::")[2] for resource in resources if resource.get("protect")]


def state_of(engine: Engine, stack: str) -> str:
    """`Engine.export`, called before anything is changed. Raises OperationError where the state cannot be read."""
    try:
        return engine.export(stack)
    except automation.CommandError as error:
        raise OperationError(f"the state of stack {stack} cannot be read, so nothing was changed: {error}") from None


def end(engine: Engine, stack: str) -> Outcome:
    """Destroys and removes `stack`, protected or not: the caller must check and ask first. Safe to repeat.

    Raises OperationFailed and OperationError."""
    # What was begun and not ended would else stay in AWS, unknown to the state.
    refresh = settled(engine, stack)
    if protected(state_of(engine, stack)):
        try:
            engine.unprotect(stack)
        except automation.CommandError as error:
            raise OperationError(f"the protection of stack {stack} cannot be removed: {error}") from None
    return engine.destroy(stack, remove=True, refresh=refresh)
