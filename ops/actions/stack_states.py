"""Which stacks have a state, for `status` and `sweep`, and a notice where the states cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperationError, explain
from ops.stacks import backend


def stacks(tell: Callable[[str], None]) -> set[str] | None:
    """None where the states cannot be seen, which is said: then nothing is told of stacks."""
    try:
        found = backend.stacks(backend.address())
    except OperationError as error:
        tell(f"Stacks were not checked: {error}")
    except (BotoCoreError, ClientError) as error:
        tell(f"Stacks were not checked: {explain(error)}")
    else:
        if found is None:
            tell("Stacks were not checked: only Pulumi's engine can read this backend.")
        return found
    return None
