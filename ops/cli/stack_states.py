"""Which stacks have a state, for `status` and `sweep`, and a notice where the states cannot be read."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from ops.cli import output
from ops.errors import OperationError, explain
from ops.stacks import backend


def stacks() -> set[str] | None:
    """Names of stacks; None, with a notice on stderr, where the states cannot be read."""
    try:
        names = backend.stacks(backend.address())
    except OperationError as error:
        output.step(f"Stacks were not checked: {error}")
    except (BotoCoreError, ClientError) as error:
        output.step(f"Stacks were not checked: {explain(error)}")
    else:
        if names is None:
            output.step("Stacks were not checked: only Pulumi's engine can read this backend.")
        return names
    return None
