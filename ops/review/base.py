"""The state of the repository that a change is measured against, laid out beside it.

Owns which commit it is, and its tree in a folder that goes away again. Leaves out running git (`ops.stacks.git`) and
what the files mean.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.errors import OperationError
from ops.stacks.git import Difference, Repository

LIKELY: Final = ("origin/HEAD", "origin/main", "main")
"""What a branch is measured against where nobody says."""


@dataclass(frozen=True)
class Base:
    """`commit` is where the branch left `ref`, so that what others merged since is not taken for the branch's doing.
    `differences` count what is not committed yet too. `folder` has the tree of `commit`."""

    ref: str
    commit: str
    top: Path
    folder: Path
    differences: tuple[Difference, ...]

    def then(self, path: Path) -> Path | None:
        """Where `path`, of the repository today, lies in the base's tree; None where it is of another repository."""
        return self.folder / path.relative_to(self.top) if path.is_relative_to(self.top) else None


@contextmanager
def base(inside: Path, ref: str | None) -> Generator[Base]:
    """Of the repository that the folder `inside` lies in. Raises OperationError."""
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
