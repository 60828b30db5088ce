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
    "validate": "cli.validate:validate",
    "check": "cli.check:check",
    "up": "cli.fleet:up",
    "preview": "cli.fleet:preview",
    "refresh": "cli.fleet:refresh",
    "destroy": "cli.fleet:destroy",
    "demo": "demo.command:demo",
    "new": "cli.new:new",
    "adopt": "cli.adopt:adopt",
    "move": "cli.move:move",
    "rename": "cli.rename:rename",
    "offboard": "cli.offboard:offboard",
    "rotate": "cli.rotate:rotate",
    "revoke": "cli.revoke:revoke",
    "disable": "cli.access:disable",
    "enable": "cli.access:enable",
    "sweep": "cli.sweep:sweep",
    "status": "cli.status:status",
    "history": "cli.history:history",
    "capacity": "cli.capacity:capacity",
    "local": "cli.local:app",
    "admin-key": "cli.admin_key:app",
    "key": "cli.key:app",
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
