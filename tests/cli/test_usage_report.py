"""`usage` as a person reads it: in 80 columns, without days that say the same thirty times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ops.actions.usage import Day, Line, Report
from ops.cli import usage_report
from ops.cli.table import folded

TODAY = date(2026, 11, 30)
NO_COSTS = Decimal(0)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def day(back: int, billed: str | None) -> Day:
    usd = None if billed is None else Decimal(billed)
    return Day(TODAY - timedelta(days=back), usd, NO_COSTS, provisional=back < 2, partly=False)


def report(*days: Day, lines: tuple[Line, ...] = ()) -> Report:
    as_of = datetime(2026, 11, 30, 14, tzinfo=UTC)
    total = Line("total", billed=sum((line.billed or NO_COSTS for line in lines), NO_COSTS))
    return Report("local", as_of, days[0].day, None, lines, total, days, None, 0, {}, {}, {}, {}, (), TODAY)


ACME = Line(
    "acme", billed=Decimal("2.5"), priced=Decimal("2.5"), compared=Decimal("2.5"), requests=1200, sent=5_000_000
)


def test_days_in_a_row_that_look_alike_are_one_line() -> None:
    days = (day(5, "0"), day(4, "0"), day(3, "2.5"), day(2, None), day(1, None), day(0, None))
    told = usage_report.text(report(*days, lines=(ACME,)))
    assert [line.replace("#", "") for line in told.partition("BILLED BY DAY\n")[2].splitlines()[:4]] == [
        "2026-11-25 to 2026-11-26        0.0000",
        "2026-11-27                      2.5000  ",
        "2026-11-28                 no data yet",
        "2026-11-29 to 2026-11-30   no data yet  provisional",
    ]


def test_days_with_the_same_bill_stay_apart() -> None:
    told = usage_report.text(report(day(3, "2.5"), day(2, "2.5"), lines=(ACME,)))
    assert "\n2026-11-27  " in told
    assert "\n2026-11-28  " in told


def test_a_line_fits_into_eighty_columns_and_a_column_without_words_is_left_out() -> None:
    told = usage_report.text(report(day(0, "2.5"), lines=(ACME,)))
    assert max(map(len, told.splitlines())) <= 80
    assert "REMARK" not in told
    unpriced = replace(ACME, unpriced={"gpt-6.2-sol"})
    assert "REMARK" in usage_report.text(report(day(0, "2.5"), lines=(unpriced,)))


WIDE = replace(ACME, what="gpt-5.4-mini-2026-03-17", compared=Decimal("2.4"), cached=1_000_000, answered=900_000)


def by_model(*lines: Line) -> Report:
    return replace(report(day(0, "2.5"), lines=lines), by="model")


def test_a_row_that_is_wider_than_the_terminal_takes_two_lines_and_loses_no_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = usage_report.text(by_model(WIDE))
    tokens, money = told.splitlines()[3:5]
    assert tokens.split()[:2] == ["acme", "gpt-5.4-mini-2026-03-17"]
    assert money.startswith("  2.5000  ")
    monkeypatch.setenv("COLUMNS", "200")
    (whole,) = [line for line in usage_report.text(by_model(WIDE)).splitlines() if line.startswith("acme")]
    assert whole.split() == [*tokens.split(), *money.split()]
    longest = by_model(WIDE, replace(WIDE, tenant="a-tenant-with-a-slug-of-thirty-2"))
    values = set(usage_report.text(longest).split())
    monkeypatch.setenv("COLUMNS", "80")
    told = usage_report.text(longest)
    assert max(map(len, told.splitlines())) <= 80
    assert values <= set(told.split()), "no value is cut"


def test_a_pipe_gets_one_line_a_row_for_grep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("sys.__stdout__", None)
    (row,) = [line for line in usage_report.text(by_model(WIDE)).splitlines() if line.startswith("acme")]
    assert len(row) > 80
    assert "2.5000" in row


def test_a_value_that_has_no_room_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    assert folded(("A", "B", "C"), [("1234567890", "12345678", "1")], at=2) == (
        "A\n  B\n  C\n1234567890\n  12345678\n  1"
    )


def test_where_nothing_was_used_the_days_that_were_looked_at_are_said() -> None:
    first = replace(report(day(0, None)), days=(day(0, None),))
    assert "Nothing was used on 2026-11-30. `--since" in usage_report.text(first)
    assert "Nothing was used from 2026-11-25 to 2026-11-30." in usage_report.text(report(day(5, None), day(0, None)))


def test_where_nothing_is_known_no_days_are_listed_and_the_reason_is() -> None:
    found = replace(report(day(1, None), day(0, None)), without={"initech": "its key is the customer's own"})
    told = usage_report.text(found)
    assert told.splitlines()[1:] == ["No usage is known here.", "initech: its key is the customer's own."]
