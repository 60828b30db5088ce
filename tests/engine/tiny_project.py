"""A throwaway Pulumi project, and what its tests do to it."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "tiny"


@dataclass
class Project:
    """A project named `tiny` with a stack `dev`, and everything that the engine writes, under one folder."""

    folder: Path
    environment: Mapping[str, str]
    state: Path

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """stdout and stderr of `pulumi ARGUMENTS --non-interactive`, which must fail when `fails` says so."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def up(self, *arguments: str, fails: bool = False) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, fails=fails)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the stack's state, as the engine exports them."""
        exported = subprocess.run(
            ["pulumi", "stack", "export"],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        return json.loads(exported.stdout)["deployment"].get("resources") or []
