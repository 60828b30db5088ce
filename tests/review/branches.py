"""A repository of the tests' own: this one's files in one commit on `main`, and branches that change them.

Owns making it, editing it, and running the command in it as a pipeline does: with no credential of any kind. Leaves out
what the command should say (the tests).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = ("AWS_", "GIT_", "MYFLUX_", "OPENAI_", "PULUMI_")
"""Set by a developer's shell, or by a hook that runs the tests."""


@dataclass(frozen=True)
class Checked:
    code: int
    report: str
    err: str


@dataclass(frozen=True)
class Branches:
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Branches:
        """As the files lie here, committed or not."""
        folder.mkdir()
        made = cls(folder)
        for name in made.git("ls-files", "-z", "--cached", "--others", "--exclude-standard", at=ROOT).split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        made.git("init", "--quiet", "--initial-branch=main")
        made.commit("What there was")
        return made

    def git(self, *arguments: str, at: Path | None = None) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=Tests", "-c", "user.email=tests@myflux.example", *arguments],
            cwd=at or self.folder,
            env=_clean(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def commit(self, what: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "--message", what)

    def start(self, name: str) -> None:
        """A branch from `main`, with nothing left of the branch before it."""
        self.git("checkout", "--quiet", "--force", "-B", re.sub(r"[^a-z]+", "-", name), "main")
        self.git("clean", "--quiet", "-d", "--force")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{file} holds {text.count(old)} times {old!r}: the test must be told anew"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def line(self, file: str, text: str) -> int:
        """The first line of `file` that holds `text`, from 1."""
        lines = (self.folder / file).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def check(self, *arguments: str, base: str = "main", environment: dict[str, str] | None = None) -> Checked:
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", "check", "--base", base, *arguments],
            cwd=self.folder,
            env=_clean() | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Checked(done.returncode, done.stdout, done.stderr)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
