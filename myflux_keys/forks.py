"""What a process made by `os.fork()` does before anything of its own: it leaves its parent's things to its parent.

A forked process has its parent's memory and sockets, and of its threads only the one that forked: a lock that another
thread held stays locked, a fetch under way never ends, and on a shared connection each hears the other's answers. So
whoever holds such things names here how to start anew. That runs inside the fork, while the new process has one thread:
nothing of its own can come before, and no read has to compare process ids.

A server that forks without telling Python runs none of this: uWSGI needs `py-call-osafterfork = true`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

Thing = TypeVar("Thing")

_start_anew: Final[WeakKeyDictionary[Any, Callable[[Any], None]]] = WeakKeyDictionary()


def in_each_child(thing: Thing, start_anew: Callable[[Thing], None]) -> None:
    """Calls `start_anew(thing)` in every process forked from now on, for as long as `thing` lives.

    `start_anew` replaces locks and never takes one: the thread that holds it is not there. It may be called twice.
    """
    _start_anew[thing] = start_anew


def _after_fork() -> None:
    """A signal's handler may raise in here: everything starts anew before that goes on."""
    interruption: BaseException | None = None
    for thing, start_anew in list(_start_anew.items()):
        try:
            start_anew(thing)
        except BaseException as error:  # noqa: BLE001 - raised below
            interruption = error
            start_anew(thing)
    if interruption is not None:
        raise interruption


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
