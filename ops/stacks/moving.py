"""Moves a stack's state from one backend to another, so that each step can be repeated.

The state goes as the engine exports it. A state that holds secrets is refused: they are encrypted for one backend.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ops.errors import OperationError
from ops.stacks.engine import Engine

_CIPHERTEXT: Final = '"ciphertext"'


def move(source: Engine, target: Engine, stack: str) -> None:
    """Leaves `source` as it is. `target` must have no such stack, an empty one, or an equal copy.

    Raises OperationError where the target's differs, also after the move: it is read back.
    """
    held = source.peek(stack)
    if held is None:
        raise OperationError(f"the state of stack {stack} is gone. Nothing was changed.")
    if _CIPHERTEXT in json.dumps(held.get("resources", [])):
        raise OperationError(f"the state of stack {stack} holds secrets, which cannot be moved. Nothing was changed.")
    if target.peek(stack) is None:
        target.make(stack)
    there = target.peek(stack) or {}
    if not there.get("resources"):
        # The provider of secrets stays the target's own.
        target.replace_state(stack, {**held, "secrets_providers": there.get("secrets_providers")})
        there = target.peek(stack) or {}
    if not same(held, there):
        raise OperationError(
            f"stack {stack} has another state at the place that it moves to. Compare both with `pulumi stack export`, "
            "and delete the wrong one. Nothing was deleted."
        )


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both know the same resources with the same values."""
    return one.get("resources") == other.get("resources")
