"""Runs git: lists what differs from a commit, and reads files of a commit. Compares with the working tree, including
files that are not added yet, so that the result is the same before and after a commit."""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterable, Mapping
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

    def lay_out(self, commit: str, folder: Path, paths: Iterable[str] | None = None) -> None:
        """Makes `folder` with the files of `commit` as a checkout has them: every file, or only `paths`, which must
        exist, and the files that they link to. The repository's index and list of work trees do not change.

        By an index of its own: `git archive` leaves out what `.gitattributes` marks with export-ignore."""
        folder.mkdir()
        index = folder.with_suffix(".index")
        own = {"GIT_INDEX_FILE": str(index)}
        self._git("read-tree", commit, more=own)
        write = ("checkout-index", "--quiet", f"--prefix={folder}{os.sep}")
        if paths is None:
            self._git(*write, "--all", more=own)
        wanted: set[str] = set(paths or ())
        done: set[str] = set()
        while wanted:
            self._git(*write, "-z", "--stdin", more=own, given="\0".join(sorted(wanted)))
            done |= wanted
            linked = sorted({target for path in wanted if (target := _linked(folder, path))} - done)
            exact = [f":(top,literal){path}" for path in linked]
            listed = self._git("ls-files", "-z", "--", *exact, more=own) if exact else ""
            wanted = set(linked) & set(listed.split("\0"))
        index.unlink()

    def differences(self, commit: str) -> list[Difference]:
        words = self._git("diff", "--name-status", "--no-renames", "-z", commit, "--").split("\0")
        found = [Difference(status, path) for status, path in zip(words[::2], words[1::2], strict=False)]
        untracked = self._git("ls-files", "--others", "--exclude-standard", "-z").split("\0")
        return [*found, *(Difference("A", path) for path in untracked if path)]

    def at(self, commit: str, path: str) -> str:
        """The text of `path` at `commit`."""
        return self._git("show", f"{commit}:{path}")

    def _git(self, *arguments: str, more: Mapping[str, str] | None = None, given: str = "") -> str:
        command = ["git", "-C", str(self._top), *arguments]
        content = given.encode("utf-8", "surrogateescape")
        try:
            done = subprocess.run(
                command, env={**os.environ, **(more or {})}, input=content, capture_output=True, check=False
            )
        except FileNotFoundError:
            raise OperationError("git is not on PATH, and this command needs it. Nothing was changed.") from None
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip()
            raise OperationError(f"git {arguments[0]} in {self._top}: {message or 'it failed'}. Nothing was changed.")
        return done.stdout.decode("utf-8", "surrogateescape")


def _linked(folder: Path, path: str) -> str:
    """The path in the repository that the symbolic link at `path` leads to; empty for another file, and for a link that
    leads out of the repository."""
    place = folder / path
    if not place.is_symlink():
        return ""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place.readlink().as_posix()))
    return "" if target.startswith(("/", "..")) else target
