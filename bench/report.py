"""The bench's table: on the terminal, as Markdown and as JSON.

Owns rendering and saving. Leaves out the figures and whether they meet their goals. All functions except `save` and
`show` are pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.figures import Figure, number

_HEADINGS = ("figure", "value", "unit", "goal", "met", "peer, same run")
_COLOURS = {"met": "green", "MISSED": "bold red", "not measured": "yellow"}


@dataclass(frozen=True)
class Report:
    """`failed` has, by bench, the reason why it returned no figures. `taken_at` is ISO 8601 in UTC."""

    figures: Mapping[str, Sequence[Figure]]
    failed: Mapping[str, str]
    machine: Mapping[str, Any]
    taken_at: str
    seconds: float
    quick: bool

    @property
    def all(self) -> list[Figure]:
        return [figure for figures in self.figures.values() for figure in figures]

    @property
    def ok(self) -> bool:
        """No goal was missed and no bench failed. Figures without a comparison are ignored: `summary` names them."""
        return not self.failed and all(figure.met is not False for figure in self.all)

    @property
    def summary(self) -> str:
        goals = [figure for figure in self.all if figure.goal]
        met = sum(figure.met is True for figure in goals)
        unshown = sum(figure.met is None for figure in goals)
        parts = [f"{met} of {len(goals)} goals met"]
        if unshown:
            parts.append(f"{unshown} not measured")
        if self.failed:
            parts.append(f"failed: {', '.join(self.failed)}")
        if self.quick:
            parts.append("a quick run: its figures are not valid")
        return "; ".join(parts)


def surroundings(report: Report) -> list[tuple[str, str]]:
    """The machine and the packages of the measurement, as (name, text) pairs."""
    machine = report.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return [
        ("machine", f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['kernel']}"),
        ("versions", f"Python {machine['python']}, engine {machine['engine']}, {packages}"),
        ("taken", f"{report.taken_at}, in {report.seconds:.0f} s, load {machine['load']} at the start"),
    ]


def as_json(report: Report) -> str:
    document = {
        "taken_at": report.taken_at,
        "seconds": report.seconds,
        "quick": report.quick,
        "ok": report.ok,
        "machine": dict(report.machine),
        "figures": [
            {"bench": bench, **asdict(figure), "verdict": figure.verdict}
            for bench, figures in report.figures.items()
            for figure in figures
        ],
        "failed": dict(report.failed),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_markdown(report: Report) -> str:
    lines = ["# Figures", "", f"{report.summary}.", ""]
    lines += [f"- {what}: {text}" for what, text in surroundings(report)]
    lines += ["", "| " + " | ".join((*_HEADINGS, "note")) + " |", "|---|--:|---|---|---|---|---|"]
    lines += [
        "| " + " | ".join(_escaped(cell) for cell in (*_cells(figure), figure.note)) + " |" for figure in report.all
    ]
    lines += [f"| {_escaped(bench)} |  |  |  | FAILED |  | {_escaped(why)} |" for bench, why in report.failed.items()]
    return "\n".join(lines) + "\n"


def save(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")


def show(report: Report, console: Console) -> None:
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"\n{report.summary}",
        title_justify="left",
        title_style="bold green" if report.ok else "bold red",
    )
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading == "value" else "left", overflow="fold")
    notes: list[str] = []
    for figure in report.all:
        name, *cells, verdict, peer = _cells(figure)
        if figure.note and figure.note not in notes:
            notes.append(figure.note)
        mark = f" [{notes.index(figure.note) + 1}]" if figure.note else ""
        texts = [
            Text(name + mark),
            *(Text(cell) for cell in cells),
            Text(verdict, _COLOURS.get(verdict, "")),
            Text(peer),
        ]
        table.add_row(*texts)
    for bench, why in report.failed.items():
        table.add_row(Text(bench), "–", "", "", Text("FAILED", "bold red"), Text(why))
    console.print(table)
    lines = [f"[{place}] {note}" for place, note in enumerate(notes, 1)]
    lines += [f"{what}: {text}" for what, text in surroundings(report)]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _cells(figure: Figure) -> tuple[str, ...]:
    return figure.name, number(figure.value), figure.unit, figure.goal, figure.verdict, figure.peer


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
