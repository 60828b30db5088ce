"""Which stacks have a state, and a notice where the states cannot be read."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from ops import ways_out
from ops.errors import OperationError, explain
from ops.stacks import backend


def with_platform(cell: str, report: Callable[[str], None]) -> None:
    """Raises OperationError where the cell's platform is not deployed; where that cannot be read, reports the
    reason."""
    try:
        found = backend.has(backend.address(), cell)
    except OperationError as error:
        report(f"Not checked: whether cell {cell} has a platform. {error}")
    except (BotoCoreError, ClientError) as error:
        report(f"Not checked: whether cell {cell} has a platform. {explain(error)}")
    else:
        if found is False:
            raise OperationError(f"{ways_out.no_platform(cell)}. Nothing was changed.")
        if found is None:
            report(f"Not checked: whether cell {cell} has a platform. Only Pulumi's engine can read this backend.")


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
