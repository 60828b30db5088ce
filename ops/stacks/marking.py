"""Leaves a stack's mark after an `up` that succeeded, and again after a refresh that found nothing.

Owns what must hold for it: nothing that decides the stack changed during the run, and the state is the one that this
run left. Leaves out removing a mark, which the engine's operations do before they begin (`engine`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import explain
from ops.selection import cell_of
from ops.stacks import deciding, mark, mark_place, sources
from ops.stacks.deciding import Deciding
from ops.stacks.mark import Mark
from ops.state_place import StatePlace

Leave = Callable[[float], str]
"""Leaves the mark of a run that ended at that time, in Unix seconds. Returns why none was left, empty where one was or
where none could be expected."""


def none(_ended: float) -> str:
    """For what leaves no mark."""
    return ""


def begun(stack: str, fleet: Path, at: StatePlace) -> Leave:
    """Call it before the run. A platform gets no mark."""
    marks = mark_place.opened(at.url)
    if marks is None or "." not in stack:
        return none
    before = _decides(stack, fleet, at, marks)

    def leave(ended: float) -> str:
        state = marks.state(stack)
        if before[0] is None or state is None or not mark.may_be_marked(state.text, ended):
            return "another run has written its state since, or the engine compresses it"
        if _decides(stack, fleet, at, marks) != before:
            return "its files, the code or the platform changed while it ran"
        marks.leave(stack, mark.written(Mark(before[0], state.version)))
        return ""

    return _telling(leave)


def refreshed(stack: str, at: StatePlace) -> Leave:
    """Call it before a refresh. The mark that holds for the state is left again where the refresh found nothing: else a
    nightly look for drift would make the next `up` run the engine for every stack."""
    marks = mark_place.opened(at.url)
    before = marks.state(stack) if marks else None
    found = mark.read(marks.mark(stack)) if marks else None
    if marks is None or before is None or found is None or found.state != before.version:
        return none

    def leave(ended: float) -> str:
        state = marks.state(stack)
        if state and mark.same_resources(before.text, state.text) and mark.may_be_marked(state.text, ended):
            marks.leave(stack, mark.written(Mark(found.decided_by, state.version)))
        return ""

    return _telling(leave)


def _telling(leave: Leave) -> Leave:
    """The operation is done, whatever becomes of its mark."""

    def tell(ended: float) -> str:
        try:
            return leave(ended)
        except (BotoCoreError, ClientError) as error:
            return explain(error)
        except OSError as error:
            return str(error)

    return tell


def _decides(
    stack: str, fleet: Path, at: StatePlace, marks: mark_place.MarkPlace
) -> tuple[mark.Decides | None, tuple[int, ...]]:
    moments = deciding.moments(stack, fleet)
    here = Deciding(fleet, cell_of(stack), marks, own_settings=not at.secrets_provider, code=sources.code_digest())
    return here.all(stack), moments
