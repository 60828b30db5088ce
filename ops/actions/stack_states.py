"""Which stacks have a state, for `status` and `sweep`, and a notice where the states cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OperationError, explain
from ops.stacks import backend


def stacks(report: Callable[[str], None]) -> set[str] | None:
    """The names of stacks that have a state. Where they cannot be read, reports the reason and returns None."""
    try:
        found = backend.stacks(backend.address())
    except OperationError as error:
        report(f"Stacks were not checked: {error}")
    except (BotoCoreError, ClientError) as error:
        report(f"Stacks were not checked: {explain(error)}")
    else:
        if found is None:
            report("Stacks were not checked: only Pulumi's engine can read this backend.")
        return found
    return None
