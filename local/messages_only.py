"""Imported first by a process that speaks the engine's protocol and runs no program: `pulumi` without its SDK.

The messages are a part of the SDK's package, and importing them imports all of it, which takes longer than what such a
process does: the engine starts one or two at each of its runs. Here the package is no more than the place where they
lie. Nothing else of the SDK can be imported in the same process.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from types import ModuleType


def _place_of(name: str, above: list[str] | None) -> list[str]:
    """Makes `name` an empty package, and says where its parts lie."""
    found = PathFinder.find_spec(name, above)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed: `make install` does", name=name)
    package = ModuleType(name)
    package.__path__ = list(found.submodule_search_locations)
    sys.modules[name] = package
    return package.__path__


_place_of("pulumi.runtime", _place_of("pulumi", None))
