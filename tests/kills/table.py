"""The kill table: which moments are struck in which order, the cells struck so far, and the table as a person reads it.

A table takes long, so it may be struck in pieces: what is saved tells which code was struck, and the cells of other
code are not taken over. Leaves out what a cell means (`cells.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.kills.cells import Outcome
from tests.kills.processes import VICTIMS, Victim

ROOT: Final = Path(__file__).resolve().parents[2]
_KINDS: Final = (".py", ".json", ".yaml", ".toml", ".txt", ".tf")
_ELSEWHERE: Final = frozenset({"bench", "demo", "docs", "examples", "tests"})
"""No command loads them."""
_HARNESS: Final = ("kills", "commands", "program/gate.py", "tenants_life/conftest.py", "actions/conftest.py")
"""Of `tests`: what strikes and judges."""


@dataclass(frozen=True, order=True)
class Key:
    """`call` counts from 0."""

    operation: str
    call: int
    victim: Victim

    def __str__(self) -> str:
        return f"{self.operation}, call {self.call}, {self.victim} killed"

    @property
    def slug(self) -> str:
        return f"{self.operation}-{self.victim}-{self.call}"


@dataclass
class Table:
    """`calls` is how many each operation makes; `struck` has the outcomes."""

    code: str
    calls: dict[str, int] = field(default_factory=dict[str, int])
    struck: dict[Key, Outcome] = field(default_factory=dict[Key, Outcome])

    @property
    def red(self) -> list[str]:
        return [f"{key}: {'; '.join(one.wrong)}" for key, one in sorted(self.struck.items()) if one.wrong]


def moments(total: int, most: int) -> list[int]:
    """Which of `total` calls are struck: all of them, or `most` with the same distance. The widest spread comes first:
    after any number of them, those that are left lie between them. Pure."""
    several = min(most, total)
    bits = several.bit_length()
    spread = sorted(range(several), key=lambda number: int(f"{number:0{bits}b}"[::-1], 2))
    return [total * number // several for number in spread]


def rounds(calls: Mapping[str, int], most: int, victims: Sequence[Victim]) -> Iterator[list[Key]]:
    """Each has one moment of every operation, and every victim. Pure."""
    chosen = {operation: moments(total, most) for operation, total in calls.items()}
    for number in range(max(map(len, chosen.values()), default=0)):
        yield [
            Key(operation, found[number], victim)
            for operation, found in chosen.items()
            if number < len(found)
            for victim in victims
        ]


def code_digest(root: Path = ROOT) -> str:
    """Of everything that a command or this harness may load."""
    digest = hashlib.sha256()
    for path in sorted(_files(root)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for place in root.iterdir():
        if place.name not in _ELSEWHERE and not place.name.startswith("."):
            yield from _below(place)
    for place in _HARNESS:
        yield from _below(root / "tests" / place)


def _below(place: Path) -> Iterator[Path]:
    found = place.rglob("*") if place.is_dir() else (place,)
    return (path for path in found if path.suffix in _KINDS and path.is_file())


def read(path: Path, code: str) -> Table:
    """What is saved at `path`, or an empty table where that is nothing, or of other code."""
    table = Table(code)
    if not path.is_file():
        return table
    saved = json.loads(path.read_text(encoding="utf-8"))
    if saved["code"] == code:
        table.calls = saved["calls"]
        table.struck = {
            Key(**one["key"]): Outcome(one["outcome"]["text"], tuple(one["outcome"]["wrong"]))
            for one in saved["struck"]
        }
    return table


def save(path: Path, table: Table) -> None:
    """Whole or not at all: a run that is stopped loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    struck = [{"key": asdict(key), "outcome": asdict(one)} for key, one in sorted(table.struck.items())]
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps({"code": table.code, "calls": table.calls, "struck": struck}, indent=1), encoding="utf-8")
    new.replace(path)


def markdown(table: Table, most: int) -> str:
    """A row for each struck call, a column for each victim; a dot where nobody was struck yet."""
    lines = ["# Kill table", ""]
    for operation, total in table.calls.items():
        lines += [f"## {operation}", "", f"{total} calls.", "", "| after call | " + " | ".join(VICTIMS) + " |"]
        lines.append("|---" * (len(VICTIMS) + 1) + "|")
        for call in sorted(moments(total, most)):
            cells = [table.struck.get(Key(operation, call, victim)) for victim in VICTIMS]
            told = ["." if one is None else "**RED**" if one.wrong else one.text for one in cells]
            lines.append(f"| {call} | " + " | ".join(told) + " |")
        lines.append("")
    lines.append(f"{len(table.struck)} cells, {len(table.red)} red. Code {table.code[:16]}.")
    return "\n".join([*lines, *(f"- {line}" for line in table.red)]) + "\n"
