"""The garbage collector, paused while modules are loaded.

What a module defines stays for the life of the process, and the collector would walk it again and again: about a fifth
of the time that a command or a worker needs before it begins.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def paused() -> Generator[None]:
    """Leaves the collector as it was: on, or off where the caller had switched it off."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
