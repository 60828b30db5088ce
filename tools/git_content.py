"""What git holds, would commit, or would push, as texts with names.

Owns running git and reading its objects. Leaves out what is looked for in them. Standard library only: a hook runs in
any checkout.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from myflux_keys.redaction import redact

Content = tuple[str, bytes]
"""A path in the repository or the name of a commit, and the content."""

PUBLISHED: Final = ("origin/HEAD", "origin/main", "main")
"""A key that is in one of these branches cannot be refused any more."""

_SUBMODULE: Final = "160000"


class GitFailed(Exception):
    """Git failed, so nothing was read. The message holds git's error."""


class Repository:
    """`root` is a folder of the repository. `of_hook` is whether git runs a hook: its variables then tell which index
    is meant; elsewhere they may name another repository."""

    def __init__(self, root: Path, *, of_hook: bool = False) -> None:
        self._root = root
        self._environment = {name: value for name, value in os.environ.items() if of_hook or name[:4] != "GIT_"}

    def working_tree(self) -> Iterator[Content]:
        """Every file that git holds or `git add` would add, as it is on disk; of a symbolic link, its target's path."""
        for name in self._names("ls-files", "--cached", "--others", "--exclude-standard"):
            path = self._root / name
            if path.is_symlink():
                yield name, os.fsencode(path.readlink())
            elif path.is_file():
                yield name, path.read_bytes()

    def staged(self) -> Iterator[Content]:
        """What the next commit adds or changes, from the index: the working tree may differ."""
        listed = self._names("diff", "--cached", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=d")
        names = {path: words.split() for words, path in zip(listed[::2], listed[1::2], strict=True)}
        blobs = {path: words[3] for path, words in names.items() if words[1] != _SUBMODULE}
        contents = {id_: content for id_, _, content in self._objects(set(blobs.values()))}
        for path, id_ in sorted(blobs.items()):
            yield path, contents[id_]

    def added(self, tips: Sequence[str], without: Sequence[str]) -> Iterator[Content]:
        """Every commit, tag and file that `tips` lead to and `without` do not, also files that a later commit removed
        again."""
        listed = self._git("rev-list", "--objects", *tips, "--not", *without, "--").decode("utf-8", "surrogateescape")
        names = {id_: name for id_, _, name in (line.partition(" ") for line in listed.split("\n") if line)}
        for id_, kind, content in self._objects(names):
            if kind == "blob":
                yield f"{names[id_]} (blob {id_[:12]})", content
            elif kind in ("commit", "tag"):
                yield f"{kind} {id_[:12]}", content

    def commits(self, *names: str) -> list[str]:
        """The ids of those of `names` that are commits here."""
        ids: list[str] = []
        for name in names:
            done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            ids += done.stdout.decode().split() if done.returncode == 0 else []
        return ids

    def unpublished(self) -> Iterator[Content]:
        """What HEAD adds to the published branches. Where it adds no commit, as on the published branch itself, what
        its last commit adds to the one before."""
        head, published = self.commits("HEAD"), self.commits(*PUBLISHED)
        if head and not (published and self._git("rev-list", "-1", *head, "--not", *published, "--")):
            published = self.commits("HEAD^1")
        return self.added(head, published) if head else iter(())

    def merging(self) -> Iterator[Content]:
        """What the merge that is being committed brings to HEAD."""
        place = self._root / self._git("rev-parse", "--git-path", "MERGE_HEAD").decode().rstrip("\n")
        tips = place.read_text(encoding="ascii").split() if place.is_file() else []
        return self.added(tips, self.commits("HEAD", *PUBLISHED)) if tips else iter(())

    def merged(self) -> Iterator[Content]:
        """What the last merge brought to HEAD, without a commit of its own too."""
        head = self.commits("HEAD")
        without = [id_ for id_ in self.commits("ORIG_HEAD", *PUBLISHED) if id_ not in head]
        return self.added(head, without) if without else iter(())

    def pushed(self, remote: str, updates: Iterable[str]) -> Iterator[Content]:
        """What a push makes public. `updates` are the lines that git gives its pre-push hook: local ref and id, remote
        ref and id."""
        words = [line.split() for line in updates if line.strip()]
        tips = [local for _, local, _, _ in words if local.strip("0")]
        theirs = self.commits(*(there for _, _, _, there in words if there.strip("0")))
        return self.added(tips, [f"--remotes={remote}", *theirs]) if tips else iter(())

    def _objects(self, ids: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
        """Id, type and content of each."""
        answer = self._git("cat-file", "--batch", given="".join(f"{id_}\n" for id_ in ids).encode("ascii"))
        place = 0
        while place < len(answer):
            line = answer.index(b"\n", place)
            id_, kind, *size = answer[place:line].decode().split(" ")
            if not size:
                raise GitFailed(f"git cat-file: {id_} is {kind}; fetch it first")
            place = line + 1 + int(size[0]) + 1
            yield id_, kind, answer[line + 1 : place - 1]

    def _names(self, *command: str) -> list[str]:
        listed = self._git(*command, "-z").split(b"\0")
        return [name.decode("utf-8", "surrogateescape") for name in listed if name]

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        if done.returncode:
            raise GitFailed(f"git {arguments[0]}: {redact(done.stderr.decode(errors='replace').strip())}")
        return done.stdout

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            # A checkout may belong to another user than the one who builds it.
            command = ["git", "-c", "safe.directory=*", *arguments]
            return subprocess.run(
                command, cwd=self._root, env=self._environment, input=given, capture_output=True, check=False
            )
        except OSError as error:
            raise GitFailed(f"git cannot be run: {error}") from None
