"""Replaces inherited locks, fetches and connections in a process made by `os.fork()`, before its own code runs.

A forked process has its parent's memory and sockets, but only the thread that forked: a lock that another thread held
stays locked, a running fetch never ends, and on a shared connection each process gets the other's answers. So an object
that holds such things registers here how to start anew. That runs inside the fork, while the new process has one
thread, so no read has to compare process ids.

A server that forks without Python's hooks runs none of this: uWSGI needs `py-call-osafterfork = true`.
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

    `start_anew` replaces locks and never takes one: the thread that holds it does not exist. It may be called twice.
    """
    _start_anew[thing] = start_anew


def _after_fork() -> None:
    """A signal's handler may raise here: every object starts anew before the error is raised."""
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
