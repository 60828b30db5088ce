"""Refuses anything shaped like a key in the repository.

`python -m tools.key_guard` checks every file that git holds or would add (`make check`); with `--staged`, the content
of the next commit (the pre-commit hook). It never prints the text that it found. `myflux_keys.redaction` has the
shapes. Standard library only: the hook runs in any checkout.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from myflux_keys.redaction import looks_like_key, redact

ROOT: Final = Path(__file__).resolve().parent.parent
_WAY_OUT: Final = (
    "Nothing shaped like a key may be committed: git's history keeps it for ever, in every clone. Remove it. If it is "
    "a real key, it has leaked to this disk: revoke it (`myflux-keys revoke TENANT`, or at OpenAI or AWS). Build a "
    "fake key in a test from two halves."
)

File = tuple[str, bytes]
"""A path in the repository, and the file's content."""


class GuardError(Exception):
    """Git failed, so nothing was checked. The message holds git's error."""


def findings(files: Iterable[File]) -> Iterator[str]:
    """``path:line`` of each line with text shaped like a key; the line is 0 if the path itself has it."""
    for path, content in files:
        if looks_like_key(path):
            yield f"{redact(path)}:0"
        # Latin-1 reads any bytes, and does not change ASCII, which keys consist of.
        for number, line in enumerate(content.decode("latin-1").split("\n"), start=1):
            if looks_like_key(line):
                yield f"{redact(path)}:{number}"


def staged(root: Path) -> Iterator[File]:
    """What the next commit adds or changes, from the index: the working tree may differ."""
    for name in _paths(root, os.environ, "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=d"):
        yield name, _git(root, os.environ, "show", f":{name}")


def committable(root: Path) -> Iterator[File]:
    """Every file that git holds or `git add` would add."""
    # Only a hook is told by variables which index it is about; elsewhere they name another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for name in _paths(root, environment, "ls-files", "--cached", "--others", "--exclude-standard"):
        path = root / name
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()


def _paths(root: Path, environment: Mapping[str, str], *command: str) -> list[str]:
    listed = _git(root, environment, *command, "-z")
    return sorted({name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name})


def _git(root: Path, environment: Mapping[str, str], *arguments: str) -> bytes:
    try:
        # A checkout may belong to another user than the one who builds it.
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, check=True).stdout
    except OSError as error:
        raise GuardError(f"git cannot be run: {error}") from None
    except subprocess.CalledProcessError as error:
        raise GuardError(f"git {arguments[0]}: {redact(error.stderr.decode(errors='replace').strip())}") from None


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.key_guard", description=_WAY_OUT)
    parser.add_argument("--staged", action="store_true", help="check the content of the next commit")
    asked = parser.parse_args(arguments)
    # The product may be in a folder of a bigger repository.
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        print("key guard: nothing to check, since this is not a git repository", file=sys.stderr)
        return 0
    try:
        found = list(findings(staged(root) if asked.staged else committable(root)))
    except GuardError as error:
        print(f"key guard: {error}", file=sys.stderr)
        return 2
    for place in found:
        print(f"{place}: shaped like a key", file=sys.stderr)
    if found:
        print(_WAY_OUT, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
