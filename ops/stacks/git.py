"""Runs git: lists what differs from a commit, and reads files of a commit. Compares with the working tree, including
files that are not added yet, so that the result is the same before and after a commit.

The folder alone decides which repository is meant: variables that name another one are not passed on."""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.errors import OperationError

_OF_ANOTHER_REPOSITORY: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""Those of `git rev-parse --local-env-vars` that say where a repository is. Git itself sets some for its hooks. The
others are configuration, such as `safe.directory` in a CI job, and stay."""


def git(
    folder: Path, *arguments: str, more: Mapping[str, str] | None = None, given: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Runs git on the repository that contains `folder`, with `more` variables and `given` on its standard input.
    Raises OperationError where git cannot be run; a failure of git itself is in the result."""
    own = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=own | dict(more or {}),
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise OperationError(
            "git is not on PATH, and this command needs it: install git. Nothing was changed."
        ) from None
    except PermissionError as error:
        raise OperationError(
            f"git cannot be run ({error.strerror}): correct PATH, or make git executable. Nothing was changed."
        ) from None


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
        done = git(self._top, *arguments, more=more, given=given)
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip() or "it failed"
            if "not a git repository" in message:
                message += ". This command compares files with a commit: run it in a clone of the repository"
            raise OperationError(f"git {arguments[0]} in {self._top}: {message}. Nothing was changed.")
        return done.stdout.decode("utf-8", "surrogateescape")


def _linked(folder: Path, path: str) -> str:
    """The path in the repository that the symbolic link at `path` leads to; empty for another file, and for a link that
    leads out of the repository."""
    place = folder / path
    if not place.is_symlink():
        return ""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place.readlink().as_posix()))
    return "" if target.startswith(("/", "..")) else target
