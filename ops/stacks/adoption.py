"""Imports an adopted tenant's secret and rotation by one update, and deploys the tenant's file by the next.

Without its import the engine would create the rotation, which mints a new key at once. So the import is repeated until
the state holds both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from ops.stacks.ending import state_of
from ops.stacks.engine import Engine, Outcome
from ops.stacks.settling import settled
from program import ADOPT

_SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 (a type's name)
_ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"


def imported(state: str, arn: str, *, rotates: bool) -> bool:
    """Whether `state`, as `Engine.export` gives it, holds the secret `arn` and, where there is one, its rotation."""
    resources: list[dict[str, Any]] = json.loads(state).get("resources") or []
    types = {resource["type"] for resource in resources if resource.get("id") == arn}
    return types >= ({_SECRET, _ROTATION} if rotates else {_SECRET})


def adopt(engine: Engine, stack: str, arn: str, *, rotates: bool, report: Callable[[str], None]) -> Outcome:
    """Raises OperationFailed and OperationError. Safe to repeat, also after an interruption."""
    settled(engine, stack)
    if not imported(state_of(engine, stack), arn, rotates=rotates):
        report(f"importing into {stack} …")
        engine.up(stack, environment={ADOPT: arn})
    # AWS may differ from the state: that is one of the reasons to adopt.
    report(f"pulumi up --refresh --stack {stack} …")
    return engine.up(stack, refresh=True)
