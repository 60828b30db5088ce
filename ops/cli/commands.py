"""The table of commands. A command's modules are loaded when it runs: all together take a second to load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from ops import collector

PLACES: Final = {
    "validate": "ops.cli.validate:validate",
    "check": "ops.cli.check:check",
    "up": "ops.cli.stacks:up",
    "preview": "ops.cli.stacks:preview",
    "refresh": "ops.cli.stacks:refresh",
    "destroy": "ops.cli.stacks:destroy",
    "demo": "demo.command:demo",
    "bootstrap": "ops.cli.bootstrap:bootstrap",
    "new": "ops.cli.new:new",
    "adopt": "ops.cli.adopt:adopt",
    "move": "ops.cli.move:move",
    "rename": "ops.cli.rename:rename",
    "credential": "ops.cli.credential:credential",
    "offboard": "ops.cli.offboard:offboard",
    "rotate": "ops.cli.rotate:rotate",
    "revoke": "ops.cli.revoke:revoke",
    "disable": "ops.cli.access:disable",
    "enable": "ops.cli.access:enable",
    "sweep": "ops.cli.sweep:sweep",
    "env": "ops.cli.env:env",
    "status": "ops.cli.status:status",
    "verify": "ops.cli.verify:verify",
    "history": "ops.cli.history:history",
    "capacity": "ops.cli.capacity:capacity",
    "models": "ops.cli.models:models",
    "estimate": "ops.cli.estimate:estimate",
    "usage": "ops.cli.usage:usage",
    "doctor": "ops.cli.doctor:doctor",
    "local": "ops.cli.local:app",
    "admin-key": "ops.cli.admin_key:app",
    "key": "ops.cli.key:app",
    "connect": "ops.cli.connect:app",
    "handover": "ops.cli.handover:handover",
}
"""In the order of the help. A function is a command, a Typer is a group of commands."""


class Commands(Mapping[str, TyperCommand | TyperGroup]):
    """The dict of commands that a Typer group expects; loads a command when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            module, _, inside = PLACES[name].partition(":")
            with collector.paused():
                command = getattr(import_module(module), inside)
            group = typer.Typer(rich_markup_mode=None)
            if isinstance(command, typer.Typer):
                group.add_typer(command, name=name)
            else:
                group.command(name)(command)
            self._loaded[name] = typer.main.get_group(group).commands[name]
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class Root(TyperGroup):
    """The command without a sub-command."""

    def __init__(self, **settings: Any) -> None:
        lazy: dict[str, Any] = {"commands": Commands()}
        super().__init__(**settings | lazy)
