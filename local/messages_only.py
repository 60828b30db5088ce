"""Imports `pulumi` without its SDK, for a process that only uses the engine's protocol; must be imported first.

The messages are in the SDK's package, and importing that takes longer than the work of such a process, of which the
engine starts one or two in each run. Here the package is only the path of the messages. The rest of the SDK cannot be
imported in the same process.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from types import ModuleType


def _place_of(name: str, above: list[str] | None) -> list[str]:
    """Makes `name` an empty package, and returns the path of its modules."""
    found = PathFinder.find_spec(name, above)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed: `make install` does", name=name)
    package = ModuleType(name)
    package.__path__ = list(found.submodule_search_locations)
    sys.modules[name] = package
    return package.__path__


_place_of("pulumi.runtime", _place_of("pulumi", None))
