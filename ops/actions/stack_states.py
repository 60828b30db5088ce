"""Which stacks have a state, and a notice where the states cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ops import state_place, ways_out
from ops.errors import OperationError, explain
from ops.stacks import backend
from tenancy import Cell

Found = TypeVar("Found")


def with_platform(cell: Cell, report: Callable[[str], None]) -> None:
    """Raises OperationError where the cell's platform is not deployed; where that cannot be read, reports the
    reason."""

    def unread(why: str) -> None:
        report(f"Not checked: whether cell {cell.cell} has a platform. {why}")

    found = _read(
        lambda: backend.has(state_place.of(cell).url, cell.names.stack),
        unread,
        "Only Pulumi's engine can read this backend.",
    )
    if found is False:
        raise OperationError(f"{ways_out.no_platform(cell.cell)}. Nothing was changed.")


def stacks(cells: Sequence[Cell], report: Callable[[str], None]) -> dict[str, set[str] | None]:
    """By cell: the names of the stacks in its backend that have a state. Where they cannot be read, reports the reason
    and gives None."""

    look = cache(backend.stacks)

    @cache
    def told(why: str) -> None:
        report(f"Stacks were not checked: {why}")

    def of_cell(cell: Cell) -> set[str] | None:
        engine_alone = "only Pulumi's engine can read this backend."
        return _read(lambda: look(state_place.of(cell).url), told, engine_alone)

    return {cell.cell: of_cell(cell) for cell in cells}


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
