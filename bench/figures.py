"""One line of the bench's table, and the conversion of a bench's rows to lines with peers. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

OURS: Final = "myflux_keys"
"""Our own candidate's name in a comparison of libraries."""


@dataclass(frozen=True)
class Figure:
    """`met` is None if there is no goal or the peer is not available; None never counts as met."""

    name: str
    value: float | None
    unit: str
    goal: str = ""
    met: bool | None = None
    peer: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.met is not None:
            return "met" if self.met else "MISSED"
        return "not measured" if self.goal else ""


def number(value: float | None) -> str:
    """An integer above 100, otherwise three significant digits. Has thousands separators; None becomes a dash."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def at_most(name: str, value: float | None, unit: str, goal: float, *, peer: str = "", note: str = "") -> Figure:
    """A figure whose goal is an upper bound. `met` is None if `value` is None: it could not be measured."""
    met = None if value is None else value <= goal
    return Figure(name, value, unit, f"<= {number(goal)}", met, peer, note)


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """Converts rows of `name, value, unit, goal, ok` to figures.

    A number as goal is an upper bound. Rows named ``<what>, <candidate>`` become one figure: ours, with the others as
    its peers. Text in parentheses after the candidate's name is shown with its value.
    """
    held = [dict(row) for row in rows]
    ours = {_what(row["name"]) for row in held if _candidate(row["name"]).startswith(OURS)}
    figures: list[Figure] = []
    for row in held:
        name, what, candidate = str(row["name"]), _what(row["name"]), _candidate(row["name"])
        if what not in ours or (row["goal"] and not candidate.startswith(OURS)):
            figures.append(_figure(row, name, ""))
        elif candidate.startswith(OURS):
            others = [other for other in held if _what(other["name"]) == what and other is not row]
            peers = [_peer(other) for other in others if not other["goal"]]
            figures.append(_figure(row, what + candidate.removeprefix(OURS), "; ".join(peers)))
    return figures


def _figure(row: Mapping[str, Any], name: str, peer: str) -> Figure:
    goal = row["goal"]
    text = goal if isinstance(goal, str) else f"<= {number(goal)}"
    return Figure(name, row["value"], row["unit"], text, row["ok"] if text else None, peer)


def _peer(row: Mapping[str, Any]) -> str:
    return f"{_candidate(row['name'])}: {number(row['value'])} {row['unit']}"


def _what(name: str) -> str:
    return name.rpartition(", ")[0] or name


def _candidate(name: str) -> str:
    return name.rpartition(", ")[2]
