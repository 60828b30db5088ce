"""A grid of who may do what, drawn as SVG: no script, no font to fetch, the same bytes for the same grid.

Owns only the drawing. In a cell each group of operations has its own position, letter and colour, so a reader can tell
them apart without colours. It follows the reader's light or dark theme.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from xml.sax.saxutils import escape

Mark = Literal["none", "some", "all", "unsure"]


@dataclass(frozen=True)
class Row:
    """`cells` hold, column by column, each group's mark."""

    label: str
    cells: Sequence[Mapping[str, Mark]]


@dataclass(frozen=True)
class Section:
    heading: str
    rows: Sequence[Row]


_COLOURS: Final = (("#0b6bb0", "#4aa8ee"), ("#b4540a", "#f0a35e"), ("#7d3c98", "#c79be0"), ("#1d7a46", "#58c78b"))
"""One for each group, on light and on dark."""
_STYLE: Final = """\
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px }
.title { font-family: system-ui, "Segoe UI", Helvetica, "DejaVu Sans", sans-serif; font-size: 17px; font-weight: 600 }
.column { font-weight: 600; text-anchor: middle } .heading { font-size: 12px }
.letter { font-size: 11px; font-weight: 700; text-anchor: middle }
.line { stroke-width: 1 } .some, .unsure { stroke-width: 1.5; fill-opacity: 0.12 } .unsure { stroke-dasharray: 3 2 }
"""
_EDGE, _ROW, _HEADING, _CHARACTER, _PILL, _GAP = 24, 30, 28, 7.9, 22, 5


def drawn(title: str, groups: Sequence[str], columns: Sequence[str], sections: Sequence[Section]) -> str:
    """The first letter of each of `groups` marks it."""
    first = (
        _EDGE
        + 24
        + round(_CHARACTER * max((len(row.label) for section in sections for row in section.rows), default=0))
    )
    inside = len(groups) * (_PILL + _GAP) - _GAP
    step = 24 + max(inside, round(_CHARACTER * max(map(len, columns), default=0)))
    width = max(first + step * len(columns) + _EDGE, 560)
    top = 124
    height = top + sum(_HEADING + _ROW * len(section.rows) for section in sections) + _EDGE
    body = [
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>',
        f'<text class="ink title" x="{_EDGE}" y="38">{escape(title)}</text>',
        *_legend(groups),
        *(
            f'<text class="ink column" x="{first + step * number + step // 2}" y="{top - 12}">{escape(column)}</text>'
            for number, column in enumerate(columns)
        ),
    ]
    y = top
    for section in sections:
        body.append(f'<rect class="band" x="1" y="{y}" width="{width - 2}" height="{_HEADING}"/>')
        body.append(f'<text class="quiet heading" x="{_EDGE}" y="{y + 18}">{escape(section.heading)}</text>')
        y += _HEADING
        for number, row in enumerate(section.rows):
            if number:
                body.append(f'<path class="line" d="M{_EDGE} {y}.5H{width - _EDGE}"/>')
            body.append(f'<text class="ink" x="{_EDGE}" y="{y + 20}">{escape(row.label)}</text>')
            for position, marks in enumerate(row.cells):
                x = first + step * position + (step - inside) // 2
                body += _cell(f"{row.label} on {columns[position]}", marks, groups, x, y + (_ROW - 18) // 2)
            y += _ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img">\n<title>{escape(title)}</title>\n<style>\n{_style(len(groups))}</style>\n'
    )
    return head + "\n".join(body) + "\n</svg>\n"


def _legend(groups: Sequence[str]) -> Iterator[str]:
    x = _EDGE
    shown: list[tuple[str, Mark, int, str]] = [(group, "all", number, group) for number, group in enumerate(groups)]
    shown.append((groups[-1], "some", len(groups) - 1, "in part"))
    for group, mark, number, says in shown:
        yield _pill(group, mark, number, x, 56)
        yield f'<text class="quiet" x="{x + _PILL + 8}" y="70">{says}</text>'
        x += _PILL + 32 + round(_CHARACTER * len(says))
    yield f'{_dot(x + 4, 65)}<text class="quiet" x="{x + 14}" y="70">nothing</text>'


def _cell(what: str, marks: Mapping[str, Mark], groups: Sequence[str], x: int, y: int) -> Iterator[str]:
    for number, group in enumerate(groups):
        place = x + number * (_PILL + _GAP)
        if marks[group] == "none":
            yield _dot(place + _PILL // 2, y + 9)
        else:
            said = f"{what}: {group}{_said(marks[group])}"
            yield f"<g><title>{escape(said)}</title>{_pill(group, marks[group], number, place, y)}</g>"


def _dot(x: int, y: int) -> str:
    return f'<circle class="nothing" cx="{x}" cy="{y}" r="1.5"/>'


def _said(mark: Mark) -> str:
    return {"some": " in part", "unsure": ", perhaps"}.get(mark, "")


def _pill(group: str, mark: Mark, number: int, x: int, y: int) -> str:
    letter = "on" if mark == "all" else f"c{number}"
    said = group[0].upper() + ("?" if mark == "unsure" else "")
    return (
        f'<rect class="p{number} {mark}" x="{x}" y="{y}" width="{_PILL}" height="18" rx="5"/>'
        f'<text class="{letter} letter" x="{x + _PILL // 2}" y="{y + 13}">{said}</text>'
    )


def _style(groups: int) -> str:
    def theme(paper: str, edge: str, band: str, ink: str, quiet: str, faint: str, place: int) -> str:
        colours = [_COLOURS[number % len(_COLOURS)][place] for number in range(groups)]
        pills = [f".p{n} {{ fill: {c}; stroke: {c} }} .c{n} {{ fill: {c} }}\n" for n, c in enumerate(colours)]
        return (
            f".paper {{ fill: {paper}; stroke: {edge} }} .band {{ fill: {band} }} .line {{ stroke: {edge} }}\n"
            f".ink {{ fill: {ink} }} .quiet {{ fill: {quiet} }} .nothing {{ fill: {faint} }} .on {{ fill: {paper} }}\n"
        ) + "".join(pills)

    light = theme("#ffffff", "#e1e5eb", "#f4f6f9", "#1d2330", "#5b6475", "#c2c8d2", 0)
    dark = theme("#12161d", "#262d38", "#1a2029", "#e4e8ee", "#9aa4b4", "#465061", 1)
    return f"{_STYLE}{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
