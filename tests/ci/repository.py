"""A bare git repository, and a checkout of it as a job of CI has one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.program.rig import ROOT


@dataclass(frozen=True)
class Repository:
    bare: Path
    checkout: Path

    @classmethod
    def of(cls, root: Path, folder: Path) -> Repository:
        """With the cells/ of `root`, and one of its tenants."""
        made = cls(folder / "keys.git", folder / "checkout")
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", made.bare], check=True)
        subprocess.run(["git", "clone", "--quiet", made.bare, made.checkout], check=True, capture_output=True)
        made.git("switch", "--quiet", "--create", "main")
        shutil.copytree(root / "cells", made.checkout / "cells")
        (made.checkout / "tenants").mkdir()
        made.commit("A tenant and its cell", made.tenant("acme"))
        return made

    def git(self, *arguments: str, fails: bool = False) -> str:
        who = ["-c", "user.name=Author", "-c", "user.email=author@myflux.example"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.checkout, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is fails, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def commit(self, message: str, files: Mapping[Path, str]) -> None:
        """On the branch that is checked out, and pushed."""
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD")

    def propose(self, branch: str, files: Mapping[Path, str]) -> None:
        """A pull request's branch off main, left checked out."""
        self.git("switch", "--quiet", "main")
        self.git("switch", "--quiet", "--create", branch)
        self.commit(f"Propose {branch}", files)

    def merge(self, branch: str) -> str:
        """Into main, and pushed; the commit that main was at before, as a push event tells it."""
        self.git("switch", "--quiet", "main")
        before = self.head
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        self.git("push", "--quiet", "origin", "main")
        return before

    def tenant(self, slug: str, like: str = "acme", file: str = "") -> dict[Path, str]:
        """The file of a new customer, which is `like`'s with another slug."""
        text = (ROOT / "tenants" / f"{like}.yaml").read_text(encoding="utf-8")
        return {self.checkout / "tenants" / f"{file or slug}.yaml": text.replace(f"tenant: {like}", f"tenant: {slug}")}
