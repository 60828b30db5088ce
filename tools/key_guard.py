"""Refuses anything shaped like a key in the repository, also in UTF-16, in base64 and in commit messages.

`python -m tools.key_guard` checks every file that git holds or would add, and what the commits add that are not on the
main branch yet (`make check`). The options are for the hooks in .githooks/. It never prints the text that it found.
Owns how content is read and what is said; `policies.guardrails.key_shapes` has the shapes and encodings. Standard
library only: a hook runs in any checkout.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from myflux_keys.redaction import REDACTED, redact
from policies.guardrails.key_shapes import holds_key
from tools.git_content import Content, GitFailed, Repository

ROOT: Final = Path(__file__).resolve().parent.parent
_WAY_OUT: Final = (
    "Nothing shaped like a key may be committed: git's history keeps it for ever, in every clone. Remove it. If it is "
    "a real key, it has leaked to this disk: revoke it (`myflux-keys revoke TENANT`, or at OpenAI or AWS). Build a "
    "fake key in a test from two halves."
)
_HISTORY: Final = (
    "What stands with `commit`, `tag` or `blob` is in history already, also where a later commit removed it: take it "
    "out before you push, with `git commit --amend` or `git rebase --interactive`. `git log --all --find-object=BLOB` "
    "names the commits of a blob. A merge that has just brought it is undone by `git reset --keep ORIG_HEAD`."
)
_SCISSORS: Final = "# ------------------------ >8 ------------------------"
"""Git's line in a message: below it is the change, for the author to read, which is no part of the message."""


def findings(contents: Iterable[Content]) -> Iterator[str]:
    """``name:line`` of each line with text shaped like a key; the line is 0 if the name itself has it. A key in several
    lines has the number of the line with which its shape is complete."""
    for name, content in contents:
        shown = redact(name)
        if holds_key(name):
            shown = REDACTED if holds_key(shown) else shown
            yield f"{shown}:0"
        for number in sorted({number for text in _readings(content) for number in _lines(text)}):
            yield f"{shown}:{number}"


def _readings(content: bytes) -> Iterator[str]:
    # Latin-1 reads any bytes, and does not change ASCII, which keys consist of.
    yield content.decode("latin-1")
    if b"\0" in content:
        # UTF-16 of either byte order, also among other bytes. In UTF-32 zeros are left over between the characters.
        for encoding in ("utf-16-le", "utf-16-be"):
            for start in range(2):
                yield content[start:].decode(encoding, "replace").replace("\0", "")


def _lines(text: str) -> list[int]:
    if not holds_key(text):
        return []
    lines = text.split("\n")
    alone = [number for number, line in enumerate(lines, start=1) if holds_key(line)]
    return alone or [bisect_left(range(len(lines)), True, key=lambda last: holds_key("\n".join(lines[: last + 1]))) + 1]


def message(path: Path) -> Content:
    """The message of the next commit, from the file that git gives its commit-msg hook."""
    text = path.read_bytes().partition(_SCISSORS.encode("ascii"))[0]
    return "the commit message", text


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.key_guard", description=_WAY_OUT)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="check the content of the next commit")
    what.add_argument("--message", type=Path, metavar="FILE", help="check its message, and what it merges")
    what.add_argument("--merged", action="store_true", help="check what the last merge brought")
    what.add_argument("--push", metavar="REMOTE", help="check what a push makes public; stdin has git's lines")
    asked = parser.parse_args(arguments)
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        print("key guard: nothing to check, since this is not a git repository", file=sys.stderr)
        return 0
    of_hook = bool(asked.staged or asked.message or asked.merged or asked.push)
    repository = Repository(root, of_hook=of_hook)
    try:
        if asked.staged:
            contents = repository.staged()
        elif asked.message:
            contents = chain([message(asked.message)], repository.merging())
        elif asked.merged:
            contents = repository.merged()
        elif asked.push:
            contents = repository.pushed(asked.push, sys.stdin)
        else:
            contents = chain(repository.working_tree(), repository.staged(), repository.unpublished())
        found = list(dict.fromkeys(findings(contents)))
    except GitFailed as error:
        print(f"key guard: {error}", file=sys.stderr)
        return 2
    for place in found:
        print(f"{place}: shaped like a key", file=sys.stderr)
    if found:
        print(_WAY_OUT if asked.staged else f"{_WAY_OUT} {_HISTORY}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
