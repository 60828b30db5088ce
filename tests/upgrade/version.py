"""A version of the product on disk: a commit in a worktree of its own, with the packages of its own lock file.

Owns finding the version before this one, checking it out and taking it away. Leaves out what is done with it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.report import CheckFailed

REPOSITORY: Final = Path(__file__).resolve().parents[2]
BEFORE_RELEASES: Final = "2db72e3749a981ddcf250a2ba8105a9e2f31a652"
"""The version that counts as the previous one until there is a release."""
_TAG: Final = re.compile(r"v\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Version:
    """`name` is a tag, a commit or ``this``; `folder` is the product's root, which holds `.venv`."""

    name: str
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "myflux-keys"


THIS: Final = Version("this", REPOSITORY)


def previous() -> str:
    """The newest release before this commit; the version before all releases where there is none."""
    tags = git("tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-version:refname").split()
    return next((tag for tag in tags if _TAG.fullmatch(tag)), BEFORE_RELEASES)


@contextmanager
def checked_out(commit: str, beside: Path) -> Generator[Version]:
    """That version in a worktree below `beside`, which is removed at the end. Raises CheckFailed."""
    if subprocess.run(
        ["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=REPOSITORY, capture_output=True
    ).returncode:
        raise CheckFailed(f"this clone has no commit {commit}: fetch the whole history (git fetch --unshallow --tags)")
    tree = beside / "previous"
    try:
        git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        # The product may be a folder of a bigger repository.
        yield Version(commit, tree / git("rev-parse", "--show-prefix").strip())
    finally:
        # Twice: one that was interrupted while it was made is locked. It may also not be there at all.
        remove = ["git", "worktree", "remove", "--force", "--force", str(tree)]
        subprocess.run(remove, cwd=REPOSITORY, capture_output=True, check=False)


def install(version: Version, environment: Mapping[str, str]) -> str:
    """Makes its virtual environment. Only what operates is installed: the cell and the checks are of this version."""
    subprocess.run([sys.executable, "-m", "venv", version.folder / ".venv"], check=True)
    quiet = ("--quiet", "--no-compile", "--disable-pip-version-check", "--require-hashes")
    lock = version.folder / "requirements.txt"
    command = [version.python, "-m", "pip", "install", *quiet, "-r", lock]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed(f"pip could not install {lock}: {done.stderr.strip()[-1500:]}")
    pinned = sum(line[:1].isalpha() for line in lock.read_text(encoding="utf-8").splitlines())
    return f"{version.name[:12]} in a worktree of its own, with the {pinned} packages of its own lock file"


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
