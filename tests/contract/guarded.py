"""A repository with the guard and its hooks, under real git, and keys to put into it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-" + "svcacct-" + "Q7" * 20
ACCESS_KEY = "AKIA" + "Q" * 16
SHIPPED = (
    *(f".githooks/{path.name}" for path in sorted((ROOT / ".githooks").iterdir())),
    "tools/__init__.py",
    "tools/key_guard.py",
    "tools/git_content.py",
    "myflux_keys/__init__.py",
    "myflux_keys/redaction.py",
    "policies/__init__.py",
    "policies/guardrails/__init__.py",
    "policies/guardrails/config.py",
    "policies/guardrails/key_shapes.py",
    "policies/guardrails/model.py",
)
"""All that the hook needs of a checkout."""


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name in SHIPPED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "core.hooksPath", ".githooks")
        self.git("add", ".")
        self.git("commit", "-qm", "what the hook needs")

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        told = self.try_git(*arguments)
        assert told.returncode == 0, told.stderr
        return told

    def try_git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        command = ["git", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)

    def write(self, name: str, text: str | bytes) -> None:
        (self.root / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, name: str, text: str | bytes, message: str = "a change", *options: str) -> None:
        """Past the hooks, as a clone without them does."""
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "-qm", message, "--no-verify", *options)

    def take_out_again(self, name: str) -> None:
        self.git("rm", "-q", name)
        self.git("commit", "-qm", "take it out again")


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
