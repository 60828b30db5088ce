"""The report of usage and costs: for a terminal, and as plain values for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ops.actions.usage import OTHERS, Line, Report
from ops.cli.plot import bars
from ops.cli.table import counted, folded, iso, when, wrapped
from ops.prices import SOURCE, page

NO_DATA: Final = "no data yet"
FIELDS: Final = (
    *("tenant", "model", "key", "day", "requests", "input_tokens", "cached_tokens", "output_tokens"),
    *("billed_usd", "priced_usd", "difference_usd", "provisional"),
)


def text(one: Report) -> str:
    if not one.days:
        return "\n".join((f"{one.cell}: OpenAI was not asked.", *_without(one)))
    by = (one.by.upper(),) if one.by else ()
    headings = ("TENANT", *by, "REQUESTS", "SENT", "CACHED", "ANSWERED", "BILLED", "PRICED", "DIFFERENCE")
    rows = [_cells(one, line) for line in one.lines]
    if len(rows) > 1:
        rows.append(_cells(one, one.total))
    if any(row[-1] for row in rows):
        headings = (*headings, "REMARK")
    else:
        rows = [row[:-1] for row in rows]
    # In UTC the second time would be the first one again.
    here = f", here {local(one.as_of)}" if one.as_of.astimezone().utcoffset() else ""
    told = [
        f"{one.cell}: {one.since} to {one.today}, days in UTC; as of {when(one.as_of)}{here}.",
        *(
            [folded(headings, rows, headings.index("BILLED")), "", *_days(one), "", *_legend(one)]
            if rows
            else ["No usage is known here." if one.without or one.failed else _nothing(one)]
        ),
    ]
    notes = list(_without(one))
    if one.others:
        notes.append(f"{OTHERS}: {', '.join(one.others)}.")
    return "\n".join([*told, *(line for note in notes for line in wrapped(note))])


def _nothing(one: Report) -> str:
    days = f"on {one.today}" if one.since == one.today else f"from {one.since} to {one.today}"
    return f"Nothing was used {days}. `--since YYYY-MM-DD` looks at other days."


def _legend(one: Report) -> Iterator[str]:
    for sentences in (
        "SENT, CACHED and ANSWERED are tokens: CACHED are among those SENT, reasoning tokens among those ANSWERED.",
        "BILLED is what OpenAI billed, PRICED is tokens times prices, both in USD before tax. DIFFERENCE is BILLED "
        "less PRICED, of the days that have costs.",
        f"Provisional: {one.today - timedelta(days=1)} and {one.today}. Costs come later than usage, so until then "
        "DIFFERENCE may be too low.",
        *_prices(one),
    ):
        yield from wrapped(sentences)


def problems(one: Report) -> Iterator[str]:
    """Why a figure is missing or too low."""
    for model, why in sorted(one.no_price.items()):
        yield f"{one.cell}: no price of {model}: {why}. No other price was taken, so PRICED is without it."
    for organization, why in one.failed.items():
        yield f"{one.cell}: organization {organization} was not read: {why}"
    if one.not_read:
        yield f"{one.cell}: nothing from before {one.not_read} was read. Name fewer tenants."
    if one.left_out:
        yield (
            f"{one.cell}: {counted(one.left_out, 'row')} did not fit into the function's answer of 6 MB, and are in no "
            "sum. Name tenants, or leave out --by."
        )


def facts(one: Report) -> dict[str, Any]:
    return {
        "cell": one.cell,
        "as_of": moment(one.as_of),
        "as_of_local": one.as_of.astimezone().isoformat(timespec="seconds"),
        "since": one.since.isoformat(),
        "until": one.today.isoformat(),
        "by": one.by or "tenant",
        "currency": "USD",
        "complete": one.complete,
        "rows": [row(one, line) for line in one.lines],
        "total": row(one, one.total),
        "days": [
            {
                "day": day.day.isoformat(),
                "billed_usd": _exact(day.billed),
                "priced_usd": _exact(day.priced),
                "provisional": day.provisional,
                "partly": day.partly,
            }
            for day in one.days
        ],
        "other_projects": list(one.others),
        "without": dict(one.without),
        "failed": dict(one.failed),
        "not_read_before": one.not_read.isoformat() if one.not_read else None,
        "rows_left_out": one.left_out,
        "prices": {
            "source": SOURCE,
            "as_of": one.prices_as_of.isoformat() if one.prices_as_of else None,
            "old": one.old,
            "no_price": dict(one.no_price),
            "priced_as": dict(one.priced_as),
        },
    }


def row(one: Report, line: Line) -> dict[str, Any]:
    """Amounts are exact decimals as text; null where they are not known."""
    named = {"model": None, "key": None, "day": None} | ({one.by: line.what or None} if one.by else {})
    return {
        "tenant": line.tenant,
        **named,
        "requests": line.requests,
        "input_tokens": line.sent,
        "cached_tokens": line.cached,
        "output_tokens": line.answered,
        "billed_usd": _exact(line.billed),
        "priced_usd": None if line.unpriced else _exact(line.priced),
        "difference_usd": _exact(line.difference),
        "provisional": _provisional(one, line),
    }


def moment(at: datetime) -> str:
    return iso(at) or ""


def local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _cells(one: Report, line: Line) -> tuple[str, ...]:
    what = (line.what or ("-" if line is not one.total else ""),) if one.by else ()
    return (
        line.tenant,
        *what,
        *(f"{count:,}" for count in (line.requests, line.sent, line.cached, line.answered)),
        NO_DATA if line.billed is None else f"{line.billed:,.4f}",
        f"{line.priced:,.4f}{' + ?' if line.unpriced else ''}",
        "-" if line.difference is None else f"{line.difference:+,.4f}{_percent(line)}",
        _remark(one, line),
    )


def _percent(line: Line) -> str:
    """Of the bill; none where no tokens stand beside it."""
    if line.difference is None or not line.billed or not line.compared:
        return ""
    return f" ({line.difference * 100 / line.billed:+.1f} %)"


def _remark(one: Report, line: Line) -> str:
    if line is one.total:
        return ""
    if line.unpriced:
        return f"no price of {', '.join(sorted(line.unpriced))}"
    if one.by == "model" and line.what in one.priced_as:
        return f"priced as {one.priced_as[line.what]}"
    if one.by == "day" and _provisional(one, line):
        return "provisional"
    return f"{counted(len(one.others), 'project')} of no tenant" if line.tenant == OTHERS else ""


def _provisional(one: Report, line: Line) -> bool:
    """Whether OpenAI may still add to it. A sum is, since its last days are."""
    return one.by != "day" or any(day.provisional and day.day.isoformat() == line.what for day in one.days)


def _days(one: Report) -> list[str]:
    """Billed by day; days in a row that look alike are one line. A day without costs has no bar, which is no zero."""
    lengths = bars([day.billed or Decimal(0) for day in one.days])
    told: list[tuple[list[date], str]] = []
    for day, bar in zip(one.days, lengths, strict=True):
        billed = NO_DATA if day.billed is None else f"{day.billed:,.4f}"
        marks = [
            mark for mark, so in (("provisional", day.provisional), ("not all organizations yet", day.partly)) if so
        ]
        rest = f"{billed:>12}  {bar}{' ' if bar else ''}{', '.join(marks)}".rstrip()
        if told and told[-1][1] == rest and not day.billed:
            told[-1][0].append(day.day)
        else:
            told.append(([day.day], rest))
    spans = [f"{days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}" for days, _ in told]
    width = max(map(len, spans), default=0)
    return ["BILLED BY DAY", *(f"{span:<{width}}  {rest}" for span, (_, rest) in zip(spans, told, strict=True))]


def _without(one: Report) -> Iterator[str]:
    yield from (f"{tenant}: {why}." for tenant, why in sorted(one.without.items()))


def _prices(one: Report) -> Iterator[str]:
    """Nothing where nothing was priced."""
    if not one.total.priced:
        return
    told, compare = f"Prices: {SOURCE}", f"compare them with {page()}."
    if one.prices_as_of is None:
        yield f"{told}, which does not say when it read them: {compare}"
        return
    age = counted((one.today - one.prices_as_of).days, "day")
    told = f"{told}, read on {one.prices_as_of}, {age} ago, of the shortest prompts."
    yield f"{told} They are old: {compare}" if one.old else told


def _exact(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd:f}"
