"""How a function of MiniStack is replaced while it runs, and the refusal to do so when it isn't the one we know.

A name imported with ``from x import y`` is a second reference, so the swap reaches every loaded module of MiniStack
that holds the old function.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

MINISTACK_VERSION = "1.5.33"


class UnexpectedShape(RuntimeError):
    """MiniStack isn't the version, or hasn't the function, that the rules here were written for."""


def require_version() -> None:
    found = version("ministack")
    if found != MINISTACK_VERSION:
        raise UnexpectedShape(
            f"ministack {found} is installed, and the local cell's rules of IAM are written for {MINISTACK_VERSION}: "
            f"they replace functions inside it. Install the pinned version (pip install -r requirements-dev.txt)."
        )


def require_shape(module: str, name: str, parameters: str) -> Callable[..., Any]:
    """The function `name` of `module`; `parameters` are its parameters' names, e.g. ``"data, access_key"``.

    Raises UnexpectedShape.
    """
    owner = importlib.import_module(module)
    found = getattr(owner, name, None)
    if not callable(found):
        raise UnexpectedShape(f"{module} has no function {name}: the local cell's rules of IAM cannot be put in place")
    names = ", ".join(inspect.signature(found).parameters)
    if names != parameters:
        raise UnexpectedShape(
            f"{module}.{name} takes ({names}) and not ({parameters}): "
            "the local cell's rules of IAM cannot be put in place"
        )
    return found


def replace(module: str, name: str, parameters: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Puts ``make(original)`` where `module.name` was, in every loaded module of MiniStack that refers to it."""
    original = require_shape(module, name, parameters)
    replacement = make(original)
    replaced = 0
    for loaded_name, loaded in list(sys.modules.items()):
        if loaded_name.partition(".")[0] == "ministack" and getattr(loaded, "__dict__", {}).get(name) is original:
            setattr(loaded, name, replacement)
            replaced += 1
    if not replaced:
        raise UnexpectedShape(f"{module}.{name} is held by no module of ministack: nothing was replaced")
