"""Runs git: lists what differs from a commit, and reads files of a commit. Compares with the working tree, including
files that are not added yet, so that the result is the same before and after a commit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ops.errors import OperationError


@dataclass(frozen=True)
class Difference:
    """`status` is git's letter: A added, M changed, D deleted, T of another type. `path` is relative to the
    repository."""

    status: str
    path: str


class Repository:
    """The repository that contains `folder`. Raises OperationError where there is none."""

    def __init__(self, folder: Path) -> None:
        self._top = folder
        self.top = Path(self._git("rev-parse", "--show-toplevel").rstrip("\n"))
        self._top = self.top

    def commit(self, ref: str) -> str:
        """The commit that `ref` names. Raises OperationError."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
        except OperationError:
            raise OperationError(
                f"git has no commit `{ref}` in {self.top}. In a shallow clone fetch its history first "
                "(`git fetch --unshallow`). Nothing was changed."
            ) from None

    def fork(self, commit: str) -> str:
        """The newest commit that `commit` and HEAD share. Raises OperationError."""
        try:
            return self._git("merge-base", commit, "HEAD").strip()
        except OperationError:
            raise OperationError(
                f"git finds no commit that {commit} and HEAD share in {self.top}. In a shallow clone fetch its history "
                "first (`git fetch --unshallow`; in GitHub Actions `fetch-depth: 0`). Nothing was changed."
            ) from None

    def lay_out(self, commit: str, folder: Path) -> None:
        """Makes `folder` with the files of `commit`. The repository's list of work trees does not change."""
        folder.mkdir()
        packed = folder.with_suffix(".tar")
        self._git("archive", "--format=tar", f"--output={packed}", commit)
        unpacked = subprocess.run(["tar", "-xf", packed, "-C", folder], capture_output=True, text=True, check=False)
        packed.unlink()
        if unpacked.returncode:
            raise OperationError(f"tar cannot unpack {commit}: {unpacked.stderr.strip()}. Nothing was changed.")

    def differences(self, commit: str) -> list[Difference]:
        words = self._git("diff", "--name-status", "--no-renames", "-z", commit, "--").split("\0")
        found = [Difference(status, path) for status, path in zip(words[::2], words[1::2], strict=False)]
        untracked = self._git("ls-files", "--others", "--exclude-standard", "-z").split("\0")
        return [*found, *(Difference("A", path) for path in untracked if path)]

    def at(self, commit: str, path: str) -> str:
        """The text of `path` at `commit`."""
        return self._git("show", f"{commit}:{path}")

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(["git", "-C", str(self._top), *arguments], capture_output=True, check=False)
        except FileNotFoundError:
            raise OperationError("git is not on PATH, and this command needs it. Nothing was changed.") from None
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip()
            raise OperationError(f"git {arguments[0]} in {self._top}: {message or 'it failed'}. Nothing was changed.")
        return done.stdout.decode("utf-8", "surrogateescape")
