"""Who types the page's blocks: a shell that goes on from block to block, in a checkout of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.rehearsal.page import Block

_PATIENCE = 900.0


class BlockFailed(AssertionError):
    """A block ended with another code than 0. `str()` is what it printed."""


@dataclass
class Person:
    """`home` holds their files of AWS and what their commands remember; `checkout` is the folder that they type in."""

    name: str
    home: Path
    checkout: Path
    environment: dict[str, str]
    said: list[str] = field(default_factory=list[str])
    """All that their shell printed."""

    def play(self, block: Block, text: str, stdin: str = "") -> str:
        """What it printed. Raises BlockFailed."""
        if block.file:
            target = self.home / block.file[2:] if block.file.startswith("~/") else self.checkout / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            return f"{block.file} written"
        if block.language == "python":
            return self.run([sys.executable, "-c", text], stdin)
        return self.type(text, stdin)

    def type(self, text: str, stdin: str = "") -> str:
        """The variables and the folder at the end are those of the next block, as in a terminal. Raises BlockFailed."""
        kept = self.home / "shell"
        # Not `exec`: the variables are written down by the shell that the block has changed.
        script = f'{text}\n{{ env -0; printf "PWD=%s\\0" "$PWD"; }} > "$REHEARSAL_KEPT"\n'
        told = self.run(["bash", "-euo", "pipefail", "-c", script], stdin, {"REHEARSAL_KEPT": str(kept)})
        pairs = [entry.split("=", 1) for entry in kept.read_text(encoding="utf-8").split("\0") if entry]
        held = {name: value for name, value in pairs if name not in ("REHEARSAL_KEPT", "SHLVL", "_", "OLDPWD")}
        self.checkout = Path(held.pop("PWD"))
        self.environment = held
        return told

    def run(self, command: list[str], stdin: str = "", more: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env={**self.environment, "PWD": str(self.checkout), **(more or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        told = done.stdout + done.stderr
        self.said.append(told)
        if done.returncode:
            raise BlockFailed(f"{self.name}: it ended with {done.returncode}\n{told}")
        return told


def path(*folders: Path, base: str) -> str:
    return os.pathsep.join([*map(str, folders), base])
