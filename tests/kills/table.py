"""The kill table: which moments are struck in which order, the cells struck so far, and the table as a person reads it.

A table takes long, so it may be struck in pieces: what is saved tells which code was struck, and the cells of other
code are not taken over. Leaves out what a cell means (`cells.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.kills.cells import Outcome, Whole
from tests.kills.processes import VICTIMS, Victim

ROOT: Final = Path(__file__).resolve().parents[2]
_KINDS: Final = (".py", ".json", ".yaml", ".toml", ".txt", ".tf")
_ELSEWHERE: Final = frozenset({"bench", "demo", "docs", "examples", "tests"})
"""No command loads them."""
_HARNESS: Final = ("kills", "commands", "program/gate.py", "tenants_life/conftest.py", "actions/conftest.py")
"""Of `tests`: what strikes and judges."""


@dataclass(frozen=True, order=True)
class Key:
    """`moment` as in `cells.py`."""

    operation: str
    moment: int
    victim: Victim

    def __str__(self) -> str:
        return f"{self.operation}, {_told(self.moment)}, {self.victim} killed"

    @property
    def slug(self) -> str:
        return f"{self.operation}-{self.victim}-{self.moment}"


@dataclass
class Table:
    """`whole` is by operation; `struck` has the outcomes."""

    code: str
    whole: dict[str, Whole] = field(default_factory=dict[str, Whole])
    struck: dict[Key, Outcome] = field(default_factory=dict[Key, Outcome])

    @property
    def red(self) -> list[str]:
        return [f"{key}: {'; '.join(one.wrong)}" for key, one in sorted(self.struck.items()) if one.wrong]


def _told(moment: int) -> str:
    call, applied = divmod(moment, 2)
    return f"{'after' if applied else 'before'} call {call}"


def moments(calls: int, most: int) -> list[int]:
    """Which moments of an operation with so many calls are struck: all of them, or `most` with the same distance. The
    widest spread comes first: after any number of them, those that are left lie between them. Pure."""
    total = 2 * calls
    several = min(most, total)
    bits = several.bit_length()
    spread = sorted(range(several), key=lambda number: int(f"{number:0{bits}b}"[::-1], 2))
    return [total * number // several for number in spread]


def _most(whole: Whole, most: int) -> int:
    return 2 * whole.calls if whole.own else most


def rounds(whole: Mapping[str, Whole], most: int, victims: Collection[Victim]) -> Iterator[list[Key]]:
    """Each has one moment of every operation, and every victim that it has. Pure."""
    chosen = {operation: moments(one.calls, _most(one, most)) for operation, one in whole.items()}
    for number in range(max(map(len, chosen.values()), default=0)):
        yield [
            Key(operation, found[number], victim)
            for operation, found in chosen.items()
            if number < len(found)
            for victim in VICTIMS
            if victim in victims and victim in whole[operation].victims
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
    return (path for path in found if path.suffix in _KINDS and not path.name.startswith("test_") and path.is_file())


def read(path: Path, code: str) -> Table:
    """What is saved at `path`, or an empty table where that is nothing, or of other code."""
    table = Table(code)
    if not path.is_file():
        return table
    saved = json.loads(path.read_text(encoding="utf-8"))
    if saved["code"] == code:
        table.whole = {
            name: Whole(one["calls"], frozenset(one["victims"]), one["own"]) for name, one in saved["whole"].items()
        }
        table.struck = {
            Key(**one["key"]): Outcome(one["outcome"]["text"], tuple(one["outcome"]["wrong"]))
            for one in saved["struck"]
        }
    return table


def save(path: Path, table: Table) -> None:
    """Whole or not at all: a run that is stopped loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    struck = [{"key": asdict(key), "outcome": asdict(one)} for key, one in sorted(table.struck.items())]
    whole = {
        name: {"calls": one.calls, "victims": sorted(one.victims), "own": one.own} for name, one in table.whole.items()
    }
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps({"code": table.code, "whole": whole, "struck": struck}, indent=1), encoding="utf-8")
    new.replace(path)


def markdown(table: Table, most: int) -> str:
    """A row for each moment, a column for each victim that the operation has; a dot where nobody was struck yet."""
    lines = ["# Kill table", ""]
    for operation, whole in table.whole.items():
        victims: list[Victim] = [victim for victim in VICTIMS if victim in whole.victims]
        lines += [
            f"## {operation}",
            "",
            f"{whole.calls} calls{' of its own' if whole.own else ''}.",
            "",
            "| moment | " + " | ".join(victims) + " |",
        ]
        lines.append("|---" * (len(victims) + 1) + "|")
        for moment in sorted(moments(whole.calls, _most(whole, most))):
            cells = [table.struck.get(Key(operation, moment, victim)) for victim in victims]
            told = ["." if one is None else "**RED**" if one.wrong else one.text for one in cells]
            lines.append(f"| {_told(moment)} | " + " | ".join(told) + " |")
        lines.append("")
    lines.append(f"{len(table.struck)} cells, {len(table.red)} red. Code {table.code[:16]}.")
    return "\n".join([*lines, *(f"- {line}" for line in table.red)]) + "\n"
