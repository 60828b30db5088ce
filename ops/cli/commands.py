"""Which commands there are, and where each is found: its modules are loaded when it is asked for.

All of them together take a second to load: Pulumi's files, AWS's SDK, the local cell. Who presses Tab, or asks for one
thing, does not wait for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

PLACES: Final = {
    "validate": "ops.cli.validate:validate",
    "check": "ops.cli.check:check",
    "up": "ops.cli.stacks:up",
    "preview": "ops.cli.stacks:preview",
    "refresh": "ops.cli.stacks:refresh",
    "destroy": "ops.cli.stacks:destroy",
    "demo": "demo.command:demo",
    "new": "ops.cli.new:new",
    "adopt": "ops.cli.adopt:adopt",
    "move": "ops.cli.move:move",
    "rename": "ops.cli.rename:rename",
    "offboard": "ops.cli.offboard:offboard",
    "rotate": "ops.cli.rotate:rotate",
    "revoke": "ops.cli.revoke:revoke",
    "disable": "ops.cli.access:disable",
    "enable": "ops.cli.access:enable",
    "sweep": "ops.cli.sweep:sweep",
    "status": "ops.cli.status:status",
    "history": "ops.cli.history:history",
    "capacity": "ops.cli.capacity:capacity",
    "local": "ops.cli.local:app",
    "admin-key": "ops.cli.admin_key:app",
    "key": "ops.cli.key:app",
}
"""In the order in which help shows them: a function is a command, a Typer is a group of them."""


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """Looks like the dict that a group of commands holds."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            module, _, inside = PLACES[name].partition(":")
            found = getattr(import_module(module), inside)
            alone = typer.Typer(rich_markup_mode=None)
            if isinstance(found, typer.Typer):
                alone.add_typer(found, name=name)
            else:
                alone.command(name)(found)
            self._loaded[name] = typer.main.get_group(alone).commands[name]
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class Root(TyperGroup):
    """The command without a sub-command."""

    def __init__(self, **said: Any) -> None:
        lazily: dict[str, Any] = {"commands": Commands()}
        super().__init__(**said | lazily)
