"""Replaces a function of MiniStack while it runs, and refuses to if it is not the expected one.

A name imported with ``from x import y`` is a second reference, so the function is replaced in every loaded module of
MiniStack that refers to it.
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
    """MiniStack has another version, or other functions, than the rules here need."""


def require_version() -> None:
    found = version("ministack")
    if found != MINISTACK_VERSION:
        raise UnexpectedShape(
            f"ministack {found} is installed, but the local cell's rules of IAM need {MINISTACK_VERSION}, since they "
            f"replace its functions. Install the pinned version (pip install -r requirements-dev.txt)."
        )


def require_shape(module: str, name: str, parameters: str) -> Callable[..., Any]:
    """The function `name` of `module`; `parameters` are its parameters' names, e.g. ``"data, access_key"``.

    Raises UnexpectedShape.
    """
    owner = importlib.import_module(module)
    found = getattr(owner, name, None)
    if not callable(found):
        raise UnexpectedShape(f"{module} has no function {name}: the local cell's rules of IAM cannot be installed")
    names = ", ".join(inspect.signature(found).parameters)
    if names != parameters:
        raise UnexpectedShape(
            f"{module}.{name} takes ({names}), not ({parameters}): the local cell's rules of IAM cannot be installed"
        )
    return found


def replace_operation(operation: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replaces IAM's answer to `operation`, a function of the request's parameters, by ``make(original)``.

    MiniStack keeps these functions in a table, which holds references of its own.
    """
    handlers: dict[str, Callable[..., Any]] = importlib.import_module("ministack.services.iam")._IAM_HANDLERS
    original = handlers.get(operation)
    if original is None or ", ".join(inspect.signature(original).parameters) != "p":
        raise UnexpectedShape(f"IAM's {operation} is not a function of p: the local cell's rules cannot be installed")
    handlers[operation] = make(original)


def replace(module: str, name: str, parameters: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replaces `module.name` by ``make(original)``, in every loaded module of MiniStack that refers to it."""
    original = require_shape(module, name, parameters)
    replacement = make(original)
    replaced = 0
    for loaded_name, loaded in list(sys.modules.items()):
        if loaded_name.partition(".")[0] == "ministack" and getattr(loaded, "__dict__", {}).get(name) is original:
            setattr(loaded, name, replacement)
            replaced += 1
    if not replaced:
        raise UnexpectedShape(f"no module of ministack refers to {module}.{name}: nothing was replaced")
