"""Runs the engine's `up` of one tenant's stack, for a command that changed its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ops.errors import OperationError
from ops.journal import logs


def deploy(root: Path, stack: str, *, report: Callable[[str], None], failed: str) -> int:
    """How many resources changed. `failed` is a sentence on what holds if it fails. Raises OperationError."""
    # Loads Pulumi, which takes a second: no other command should pay for it.
    from ops.stacks import check_secrets
    from ops.stacks.engine import Engine, OperationFailed
    from ops.stacks.settling import settled

    report(f"pulumi up --stack {stack} …")
    try:
        engine = Engine(logs(), root)
        return engine.up(stack, refresh=settled(engine, stack)).changed
    except OperationFailed as error:
        raise OperationError(
            f"{failed} {check_secrets.explained(root, error)} Correct that, then run the same command again."
        ) from None
