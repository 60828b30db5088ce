"""The commit that a change is compared with, and its files in a temporary folder.

Leaves out running git (`ops.stacks.git`) and what the files mean.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.errors import OperationError
from ops.stacks import sources
from ops.stacks.git import Difference, Repository

LIKELY: Final = ("origin/HEAD", "origin/main", "main")
"""What a branch is compared with by default."""


@dataclass(frozen=True)
class Base:
    """`commit` is where the branch left `ref`, so that later merges of others do not count as changes of the branch.
    `differences` include what is not committed yet. `folder` has the files of `commit`."""

    ref: str
    commit: str
    top: Path
    folder: Path
    differences: tuple[Difference, ...]

    @property
    def product(self) -> str:
        """The product's folder in the repository, with a slash at the end; empty where it is the top, or elsewhere."""
        return sources.folder_in(self.top) or ""

    def then(self, path: Path) -> Path | None:
        """The place of `path` in the base's tree; None where it belongs to another repository."""
        return self.folder / path.relative_to(self.top) if path.is_relative_to(self.top) else None


@contextmanager
def base(inside: Path, ref: str | None) -> Generator[Base]:
    """The base of the repository that contains the folder `inside`. Raises OperationError."""
    repository = Repository(inside)
    name, tip = _tip(repository, [ref] if ref else LIKELY)
    commit = repository.fork(tip)
    with tempfile.TemporaryDirectory(prefix="myflux-keys-base-") as scratch:
        folder = Path(scratch).resolve() / "tree"
        repository.lay_out(commit, folder)
        yield Base(name, commit, repository.top, folder, tuple(repository.differences(commit)))


def _tip(repository: Repository, refs: Sequence[str]) -> tuple[str, str]:
    for ref in refs:
        try:
            return ref, repository.commit(ref)
        except OperationError:
            if ref == refs[-1]:
                raise
    raise OperationError("there is no branch to compare with: give one, for example --base origin/main.")
