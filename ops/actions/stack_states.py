"""Which stacks have a state, and a notice where the states cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ops import ways_out
from ops.errors import OperationError, explain
from ops.stacks import backend

Found = TypeVar("Found")


def with_platform(cell: str, report: Callable[[str], None]) -> None:
    """Raises OperationError where the cell's platform is not deployed; where that cannot be read, reports the
    reason."""

    def unread(why: str) -> None:
        report(f"Not checked: whether cell {cell} has a platform. {why}")

    found = _read(lambda: backend.has(backend.address(), cell), unread, "Only Pulumi's engine can read this backend.")
    if found is False:
        raise OperationError(f"{ways_out.no_platform(cell)}. Nothing was changed.")


def stacks(report: Callable[[str], None]) -> set[str] | None:
    """The names of stacks that have a state. Where they cannot be read, reports the reason and returns None."""

    def unread(why: str) -> None:
        report(f"Stacks were not checked: {why}")

    return _read(lambda: backend.stacks(backend.address()), unread, "only Pulumi's engine can read this backend.")


def _read(look: Callable[[], Found | None], unread: Callable[[str], None], engine_alone: str) -> Found | None:
    """What `look` finds; None where it cannot, after a call of `unread` with the reason. `engine_alone` is the reason
    where `look` itself returns None."""
    try:
        found = look()
    except OperationError as error:
        unread(str(error))
    except (BotoCoreError, ClientError) as error:
        unread(explain(error))
    else:
        if found is None:
            unread(engine_alone)
        return found
    return None
