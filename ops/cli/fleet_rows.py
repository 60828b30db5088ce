"""A fleet's view as lines for a terminal, 80 columns wide where nobody says how wide it is, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from ops.actions.fleet_view import NEEDS_A_PERSON, ORDER, CellView, FleetView, Severity, TenantView, TroubleView
from ops.cli.table import age, counted, iso, table, when, wrapped

FOLD_AT: Final = 5
"""Tenants with the same trouble that are one row, as in the health function's messages."""
_NAMED: Final = 5
_WORDS: Final[Mapping[Severity, str]] = {
    "broken": "BROKEN",
    "attention": "ATTENTION",
    "unknown": "NOT KNOWN",
    "off": "DISABLED",
    "ok": "OK",
}
_IN_A_SUM: Final[Mapping[Severity, str]] = {"attention": "in need of attention"}
_LONG: Final = timedelta(hours=1)
_CENT: Final = Decimal("0.01")
_SOON: Final = timedelta(days=2)
"""Of a rotation that is nearer a day says too little: several may be on the same."""


@dataclass(frozen=True)
class Row:
    """A trouble of one tenant or several. `who` are slugs; empty for a cell's own trouble."""

    cell: str
    who: tuple[str, ...]
    trouble: TroubleView


def text(view: FleetView) -> str:
    """What needs a person first, then every tenant, hand-overs that are not done, open links, and as of when."""
    tenants = [(cell, one) for cell in view.cells for one in cell.tenants]
    blocks = [summary(view), *(block(row, view.as_of) for row in rows(view))]
    if tenants:
        ordered = sorted(tenants, key=lambda one: ORDER.index(one[1].severity))
        # A slug may have 32 characters: the cell is left out where there is one.
        left_out = 1 if len(view.cells) == 1 else 0
        lines = [_line(cell, one, view.as_of)[left_out:] for cell, one in ordered]
        blocks.append(table(HEADINGS[left_out:], lines))
    handovers = [
        (one.slug, each.consumer, each.state, when(each.ends) if each.ends else "-")
        for _, one in tenants
        for each in one.handovers
        if each.state != "done"
    ]
    blocks += [table(("HAND-OVER OF", "TO", "STATE", "OLD KEY ENDS"), handovers)] if handovers else []
    links = [(one.slug, each.state, when(each.expires)) for _, one in tenants for each in one.links]
    blocks += [table(("OPEN LINK OF", "STATE", "EXPIRES"), links)] if links else []
    return "\n\n".join([*blocks, "\n".join(_as_of(cell) for cell in view.cells)])


def summary(view: FleetView) -> str:
    """``2 tenants: 1 broken, 1 ok.``"""
    tenants = [one for cell in view.cells for one in cell.tenants]
    count = Counter(one.severity for one in tenants)
    parts = [f"{count[one]} {_IN_A_SUM.get(one, _WORDS[one].lower())}" for one in ORDER if count[one]]
    told = f"{counted(len(tenants), 'tenant')}{': ' if parts else ''}{', '.join(parts)}."
    of_cells = sum(len(cell.troubles) for cell in view.cells)
    whose = "a whole cell or organization" if of_cells == 1 else "whole cells or organizations"
    return told + (f" {counted(of_cells, 'trouble')} of {whose}." if of_cells else "")


def need(view: FleetView) -> str:
    """``1 tenant and 1 cell need a person.``"""
    tenants = sum(one.severity in NEEDS_A_PERSON for cell in view.cells for one in cell.tenants)
    cells = sum(one.severity in NEEDS_A_PERSON for cell in view.cells for one in cell.troubles)
    parts = [counted(tenants, "tenant")] if tenants else []
    parts += [counted(cells, "trouble") + " of a cell or organization"] if cells else []
    return f"{' and '.join(parts)} {'needs' if tenants + cells == 1 else 'need'} a person."


def rows(view: FleetView) -> list[Row]:
    """The worst first, and of these the cells' own."""
    found = [row for cell in view.cells for row in _rows(cell)]
    return sorted(found, key=lambda row: (ORDER.index(row.trouble.severity), bool(row.who)))


def _rows(cell: CellView) -> Iterator[Row]:
    for trouble in cell.troubles:
        yield Row(cell.name, (), trouble)
    alike: dict[tuple[str | None, ...], list[tuple[TenantView, TroubleView]]] = {}
    for tenant in cell.tenants:
        for trouble in tenant.troubles:
            command = _for_all(trouble.command, tenant.slug)
            alike.setdefault((trouble.kind, trouble.sentence, trouble.do, command), []).append((tenant, trouble))
    for (_, _, _, command), those in alike.items():
        if len(those) < FOLD_AT:
            yield from (Row(cell.name, (tenant.slug,), trouble) for tenant, trouble in those)
            continue
        first = min((one.since for _, one in those if one.since), default=None)
        tenant, one = those[0]
        together = replace(one, since=first, do=_for_all(one.do, tenant.slug), command=command)
        yield Row(cell.name, tuple(tenant.slug for tenant, _ in those), together)


def _for_all(told: str | None, slug: str) -> str | None:
    """A slug may be a word of the command too, such as ``rotate``, and stands after it."""
    before, found, after = (told or "").rpartition(slug)
    return f"{before}TENANT{after}" if found else told


def block(row: Row, now: datetime) -> str:
    """Who and since when, what is wrong, what to do, and the command on a line of its own, to be copied."""
    trouble = row.trouble
    who = f"cell {row.cell}"
    if row.who:
        more = f" and {len(row.who) - _NAMED} more" if len(row.who) > _NAMED else ""
        who = f"{', '.join(row.who[:_NAMED])}{more} ({who})"
    since = ", not known since when"
    if trouble.since:
        lasted = now - trouble.since
        since = f", since {when(trouble.since)}" + (f" ({age(lasted)})" if lasted >= _LONG else "")
    lines = wrapped(f"{_WORDS[trouble.severity]}  {who}{since}", "")
    lines += wrapped(f"{trouble.sentence[:1].upper()}{trouble.sentence[1:]}.", "  ")
    named = trouble.command and f"`{trouble.command}`"
    if trouble.do and trouble.do != named:
        lines += wrapped(f"To do: {trouble.do}.", "  ")
    lines += [f"  Type:  {trouble.command}"] if trouble.command else []
    lines += [f"  More:  {trouble.page}"] if trouble.page else []
    return "\n".join(lines)


HEADINGS: Final = ("CELL", "TENANT", "STATE", "KEY AGE", "ROTATES", "SPENT, USD")


def _line(cell: CellView, one: TenantView, now: datetime) -> Sequence[str]:
    began = one.key.minted or one.key.promoted
    spend = "-"
    if one.spend:
        # Rounded down, so that a budget is told as reached when it is, and not before.
        spend = f"{one.spend.month_usd.quantize(_CENT, ROUND_DOWN)}" + (
            f" of {one.spend.budget_usd}" if one.spend.budget_usd else ""
        )
    minted = age(max(now - began, timedelta())) if began else "-"
    return cell.name, one.slug, one.state, minted, _rotates(one.key.next_rotation, now), spend


def _rotates(due: datetime | None, now: datetime) -> str:
    if due is None:
        return "-"
    return f"in {age(due - now)}" if now <= due < now + _SOON else f"{due:%Y-%m-%d}"


def _as_of(cell: CellView) -> str:
    looked = f"the health function looked at {when(cell.health_as_of)}" if cell.health_as_of else "health is not known"
    return "\n".join(wrapped(f"Cell {cell.name}: AWS was asked at {when(cell.as_of)}; {looked}.", ""))


def sentences(view: FleetView, left_out: Iterable[str]) -> list[str]:
    """For stderr beside JSON. `left_out` are kinds that have sentences elsewhere."""
    kinds = {*left_out}
    found = [row for row in rows(view) if row.trouble.severity in NEEDS_A_PERSON]
    return [
        f"{', '.join(row.who) or row.cell}: {row.trouble.sentence}."
        + (f" `{row.trouble.command}`" if row.trouble.command else "")
        for row in found
        if row.trouble.kind not in kinds
    ]


def as_json(value: Any) -> Any:
    """Dataclasses as objects, times in ISO 8601 (UTC), days as dates, amounts as texts, so that no cent is lost."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value
