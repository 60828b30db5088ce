"""Reads what decides a tenant's stack, here and now.

Owns where each part of it is read. Leaves out what counts (`mark`). What is the same for all stacks of a run is read
once, and what costs a process or a call only where it is asked for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from ops.selection import cell_of
from ops.stacks import mark, sources
from ops.stacks.mark import Decides
from ops.stacks.mark_place import MarkPlace
from tenancy.loading import ROOT

_RULES: Final = ("policies", "ops/stacks")
_SETTINGS: Final = ROOT / ".stacks"
"""As Pulumi.yaml's `stackConfigDir` has it."""
_PROVIDER: Final = "pulumi-resource-aws"


def rules_digest(root: Path = ROOT) -> str:
    """Of the policy pack, and of the code that runs the engine."""
    files = [
        path
        for place in _RULES
        for path in sorted((root / place).rglob("*"))
        if path.suffix in (".py", ".json", ".yaml")
    ]
    return mark.digest(*(part for path in files for part in (str(path.relative_to(root)), path.read_bytes())))


@dataclass
class Deciding:
    """One cell's tenants. `marks` is where the cell's states are; `own_settings`: the engine reads the workspace's file
    of a stack's settings, as it does where no key of the cell's encrypts the state."""

    fleet: Path
    cell: str
    marks: MarkPlace
    own_settings: bool
    code: str
    """`sources.code_digest()`."""

    def here(self, stack: str) -> tuple[str, ...]:
        """What this machine's files and variables decide: the fields of `Decides` before `engine`."""
        return (
            sources.fingerprint(stack, self.fleet, self.code),
            self._rules,
            mark.of_settings(_text(_SETTINGS / f"Pulumi.{stack}.yaml") if self.own_settings else None),
            self._environment,
        )

    def all(self, stack: str) -> Decides | None:
        """None where the platform exports nothing, or there is no engine: no tenant's stack can be made then."""
        if not self.platform or not self.engine:
            return None
        return Decides(*self.here(stack), engine=self.engine, platform=self.platform)

    @cached_property
    def engine(self) -> str:
        if shutil.which("pulumi") is None:
            return ""
        # Loaded here: it takes a third of a second, and most runs have no mark to compare.
        from ops.stacks.workspace import pulumi_command

        found = shutil.which(_PROVIDER)
        provider = Path(found).resolve() if found else None
        seen = f" {provider} {provider.stat().st_mtime_ns}" if provider else ""
        return f"{pulumi_command().version}{seen}"

    @cached_property
    def platform(self) -> str | None:
        found = self.marks.state(self.cell)
        return mark.of_platform(found.text) if found else None

    @cached_property
    def _rules(self) -> str:
        return rules_digest()

    @cached_property
    def _environment(self) -> str:
        return mark.of_environment(os.environ)


def moments(stack: str, fleet: Path) -> tuple[int, ...]:
    """When the files that a person edits were last written: one that was changed and changed back counts as changed."""
    return tuple(path.stat().st_mtime_ns for path in _edited(stack, fleet) if path.is_file())


def _edited(stack: str, fleet: Path) -> Iterator[Path]:
    yield fleet / "cells" / f"{cell_of(stack)}.yaml"
    yield fleet / "tenants" / f"{stack.rpartition('.')[0]}.yaml"


def _text(path: Path) -> str | None:
    return path.read_text("utf-8", errors="replace") if path.is_file() else None
