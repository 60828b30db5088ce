"""Problems in tenant and cell files: their text, and which values it may show.

Owns `Problem` and its rendering. Leaves out the rules themselves. A value is not shown if it could be a credential:
text shaped like a key, random text, and any long text is withheld.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from myflux_keys.redaction import looks_like_key, redact

WITHHELD: Final = "(value withheld)"

_LONGEST_SHOWN: Final = 120
_KEY_IN_A_WORD: Final = re.compile(r"(?:sk-[A-Za-z0-9_-]{16}|(?:AKIA|ASIA)[A-Z0-9]{16})")
_RANDOM: Final = re.compile(
    r"(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[0-9])[A-Za-z0-9+/_-]{20}"
)
_HEX: Final = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class Refusal:
    """A rule that a value breaks, without file and line, which the rule does not know.

    `at` is the path from the refused model to the value, e.g. ``("budget", "emails", 0)``.
    """

    rule: str
    reason: str
    way_out: str
    at: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """One error in a file. `line` counts from 1; None if the error is of the whole file."""

    file: str
    line: int | None
    field: str
    value: str | None
    rule: str
    reason: str
    way_out: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        what = " ".join(part for part in (self.field, self.value) if part)
        head = f"{place}: {what}" if what else place
        return redact(f"{head} [{self.rule}]\n    {self.reason}\n    Way out: {self.way_out}")


class TenancyError(Exception):
    """All problems of all files; nothing was changed. The text holds no value that may be a key."""

    def __init__(self, problems: Iterable[Problem], where: str = "the tenant and cell files") -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line or 0, problem.field)))
        self.where = where
        count = len(self.problems)
        head = f"{count} problem{'' if count == 1 else 's'} in {where}; nothing was changed."
        super().__init__("\n".join([head, *(str(problem) for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[TenancyError], tuple[tuple[Problem, ...], str]]:
        """For pickle: `__init__` takes the problems, and `args` holds the text."""
        return type(self), (self.problems, self.where)


def holds_key(text: str) -> bool:
    """Whether `text` holds something shaped like a key, also in look-alike Unicode characters."""
    return looks_like_key(text) or (not text.isascii() and looks_like_key(unicodedata.normalize("NFKC", text)))


def shown(value: object) -> str | None:
    """`value` as an error may print it: None for a list or mapping, WITHHELD for a possible credential."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        return None
    plain = unicodedata.normalize("NFKC", value)
    if len(value) > _LONGEST_SHOWN or any(shape.search(plain) for shape in (_KEY_IN_A_WORD, _RANDOM, _HEX)):
        return WITHHELD
    return f'"{printable(value)}"'


def printable(text: str) -> str:
    """`text` on one line that any terminal can print: control and undecodable characters are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
