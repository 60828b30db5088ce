"""`usage` as a person reads it: in 80 columns, without days that say the same thirty times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ops.actions.usage import Day, Line, Report
from ops.cli import usage_report

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


def test_where_nothing_is_known_no_days_are_listed_and_the_reason_is() -> None:
    found = replace(report(day(1, None), day(0, None)), without={"initech": "its key is the customer's own"})
    told = usage_report.text(found)
    assert told.splitlines()[1:] == ["No usage is known here.", "initech: its key is the customer's own."]
