"""Reads the text of the files in a folder, and refuses what must not be parsed.

Owns paths, size, encoding, invisible characters, and text shaped like a key, also in comments. Leaves out YAML.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenancy.problems import Problem, Refusal, holds_key, printable

LARGEST_FILE: Final = 64 * 1024
"""Bytes. A tenant file has about 600."""

KEY_SHAPED: Final = Refusal(
    "key-shaped",
    "This looks like an API key or an AWS access key, and the history of the repository keeps every file for ever.",
    "remove it, and revoke the key where it came from: it counts as leaked. MyFlux Keys never needs a key in a file.",
)

_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LINE_BREAK: Final = re.compile(r"\r\n|\r|\n")
"""YAML's line breaks, so that lines are counted as its parser counts them."""


class Refused(Exception):
    """A file that was refused, with its problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(str(len(problems)))
        self.problems = problems


@dataclass(frozen=True)
class Source:
    """One file's text. `file` is its path below the root, as errors print it; `stem` its name without ``.yaml``."""

    file: str
    stem: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The text's lines, as YAML's parser counts them."""
        return _LINE_BREAK.split(self.text)

    def problem(self, refusal: Refusal, line: int | None = None, field: str = "", value: str | None = None) -> Problem:
        return Problem(self.file, line, field, value, refusal.rule, refusal.reason, refusal.way_out)


def _label(path: Path, root: Path) -> str:
    """The path below `root` as any terminal can print it, even if its bytes are not UTF-8."""
    relative = path.relative_to(root).as_posix()
    return printable(relative.encode("utf-8", "backslashreplace").decode())


def _refused(file: str, rule: str, reason: str, way_out: str) -> Refused:
    return Refused(Problem(file, None, "", None, rule, reason, way_out))


def is_read(name: str) -> bool:
    """Whether a file of this name in tenants/ or cells/ is the file of a tenant or cell."""
    return name.endswith(".yaml") and not name.startswith(".")


def find(root: Path, folder: str, *, ignored: Container[str] = ()) -> tuple[list[Path], list[Problem]]:
    """The .yaml files of ``root/folder``, sorted by name, and problems for what else is there. `ignored` sub-folders
    are no problem."""
    directory = root / folder
    if not directory.is_dir():
        way_out = f"run from the repository's root, or create {folder}/ with one file for each."
        return [], [Problem(f"{folder}/", None, "", None, "folder-missing", "There is no such folder.", way_out)]
    paths: list[Path] = []
    problems: list[Problem] = []
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if is_read(path.name):
            paths.append(path)
        elif path.suffix.lower() in (".yml", ".yaml"):
            reason, way_out = (
                "Only files that end in .yaml are read; this one would be ignored.",
                "rename it to end in .yaml.",
            )
            problems.append(Problem(_label(path, root), None, "", None, "file-ending", reason, way_out))
        elif path.is_dir() and path.name not in ignored:
            reason, way_out = (
                "Sub-folders are not read; the files in this one would be ignored.",
                f"move its files up into {folder}/.",
            )
            problems.append(Problem(_label(path, root), None, "", None, "sub-folder", reason, way_out))
    return paths, problems


def read(path: Path, root: Path, draft: str | None = None) -> Source:
    """The text of one file, or `draft` instead of it. Raises Refused, whose problems hold none of the text, only line
    numbers."""
    file = _label(path, root)
    return _checked(file, path.stem, _bytes(path, file) if draft is None else draft.encode())


def _bytes(path: Path, file: str) -> bytes:
    folder = path.parent.resolve()
    if not path.resolve().is_relative_to(folder):
        raise _refused(
            file,
            "symlink-out",
            "The symbolic link leads out of the folder, so a review of the repository would not show the file's "
            "content.",
            "replace the link by the file.",
        )
    try:
        content = _content(path)
    except OSError as error:
        raise _refused(file, "unreadable", f"The file cannot be read: {error.strerror}.", "make it readable.") from None
    if content is None:
        raise _refused(file, "not-a-file", "This is not a regular file.", "replace it by a regular file.")
    return content


def _checked(file: str, stem: str, content: bytes) -> Source:
    if len(content) > LARGEST_FILE:
        reason = f"The file is larger than {LARGEST_FILE // 1024} KiB; a typical one is smaller than 1 KiB."
        raise _refused(file, "file-too-large", reason, "use only the documented fields; each tenant has its own file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(
            Problem(file, line, "", None, "not-utf-8", "The file is not UTF-8 text.", "save it as UTF-8.")
        ) from None
    source = Source(file, stem, text)
    problems = [*_keys(source), *_invisible(source)]
    if problems:
        raise Refused(*problems)
    return source


def _content(path: Path) -> bytes | None:
    """At most one byte more than is allowed; None if it is not a regular file. Never blocks, not even on a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(LARGEST_FILE + 1)
    finally:
        os.close(descriptor)


def _keys(source: Source) -> Iterable[Problem]:
    if holds_key(_visible(source.stem)):
        yield source.problem(KEY_SHAPED)
    for number, line in enumerate(source.lines, 1):
        if holds_key(_visible(line)):
            yield source.problem(KEY_SHAPED, number)


def _visible(text: str) -> str:
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)


def _invisible(source: Source) -> Iterable[Problem]:
    for number, line in enumerate(source.lines, 1):
        if line.isprintable():
            continue
        for character in line:
            if character != "\t" and unicodedata.category(character) in _INVISIBLE:
                refusal = Refusal(
                    "invisible-character",
                    f"U+{ord(character):04X} is invisible, so the file would hold something that a reviewer cannot "
                    "see.",
                    "delete the character.",
                )
                yield source.problem(refusal, number)
                break
