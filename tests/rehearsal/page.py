"""The code blocks of docs/going-live.md, in order.

A block is known by its heading and its number below it. A file's block names the file after its language, as in
```` ```yaml cells/prod-eu1.yaml ````; every other block is typed into a shell.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "going-live.md"
_HEADING: Final = re.compile(r"#{2,3} (.+)")
_FENCE: Final = re.compile(r"```(\w*) ?(\S*)")
SHELLS: Final = ("sh", "python")


@dataclass(frozen=True)
class Block:
    heading: str
    number: int
    language: str
    file: str
    """Where its text is written; empty for what is typed."""
    text: str

    @property
    def key(self) -> tuple[str, int]:
        return self.heading, self.number

    @property
    def name(self) -> str:
        return f"{self.heading}, block {self.number}"


class UnclearPage(ValueError):
    """A block that is neither a file nor typed, or does not end."""


def blocks(text: str) -> list[Block]:
    """Raises UnclearPage."""
    found: list[Block] = []
    counted: Counter[str] = Counter()
    heading, lines = "", iter(text.splitlines())
    for line in lines:
        if titled := _HEADING.fullmatch(line):
            heading = titled[1]
        if not line.lstrip().startswith("```"):
            continue
        fence = _FENCE.fullmatch(line)
        if fence is None or not (fence[2] or fence[1] in SHELLS):
            raise UnclearPage(f"{line!r} below {heading!r} names neither a shell nor a file, at the line's beginning")
        body: list[str] = []
        for inner in lines:
            if inner == "```":
                break
            body.append(inner)
        else:
            raise UnclearPage(f"a block below {heading!r} does not end")
        counted[heading] += 1
        found.append(Block(heading, counted[heading], fence[1], fence[2], "\n".join(body) + "\n"))
    return found
