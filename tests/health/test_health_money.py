"""Spend, budget, forecast and limits: cents against dollars, provisional days, and equality."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from functions.health.facts import Facts, Limits
from functions.health.forecast import FULL_DAYS, forecast, judge_forecast
from functions.health.history import History, advance
from functions.health.spend import dollars, judge_budget, share
from myflux_keys.declaration import Budget, RateLimit
from tests.health.given import MODEL, NOW, declaration, facts, judged, kinds

DAY = date(2026, 11, 20)


def spent(usd: str, **changes: object) -> Facts:
    return facts(days={date(2026, 11, 3): Decimal(usd)}, **changes)


def with_budget(usd: int, *shares: int) -> Facts:
    return facts(
        declaration=declaration(budget=Budget(usd, hard=True, alert_percent=shares)),
        days={date(2026, 11, 3): Decimal(80)},
    )


@pytest.mark.parametrize(("usd", "stage"), [("159.99", None), ("160", 80), ("199.999999", 80), ("200", 100)])
def test_spend_exactly_at_a_percentage_reaches_it(usd: str, stage: int | None) -> None:
    found = judge_budget(spent(usd)).findings
    assert [finding.stage for finding in found] == ([] if stage is None else [stage])


def test_declared_percentages_are_used() -> None:
    [finding] = judge_budget(with_budget(160, 50, 90)).findings
    assert finding.stage == 50


def test_a_limit_in_cents_and_costs_in_dollars_are_compared_in_dollars() -> None:
    assert share(Decimal("49.99"), dollars(5000)) == Decimal("99.98")


def test_small_costs_add_up_exactly() -> None:
    """As floats, ten and seventy cents are less than eighty, and the alarm would stay silent."""
    assert 0.1 + 0.7 < 0.8
    days = {date(2026, 11, 1): Decimal("0.1"), date(2026, 11, 2): Decimal("0.7")}
    [finding] = judge_budget(facts(days=days, declaration=declaration(budget=Budget(1, hard=True)))).findings
    assert finding.stage == 80


def test_a_budget_stays_one_trouble_while_a_restated_cost_hovers_and_ends_with_the_month() -> None:
    first = advance(History(), judge_budget(spent("160")), NOW)
    assert [trouble.stage for trouble in first.started] == [80]
    lower = judged(before=first.history, days={date(2026, 11, 3): Decimal("159")})
    again = advance(first.history, lower, NOW + 3600)
    assert (again.started, again.worse, again.ended) == ((), (), ()), "restated below: shown, and not told again"
    full = advance(again.history, judge_budget(spent("200"), 80), NOW + 7200)
    assert [trouble.stage for trouble in full.worse] == [100]
    december = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    over = advance(full.history, judge_budget(facts(now=december)), december)
    assert [trouble.kind for trouble in over.ended] == ["budget_reached"]


def test_missing_costs_are_no_zero() -> None:
    found = judged(days=None)
    assert {"budget_reached", "budget_forecast"} <= found.unknown
    assert not found.findings


def test_a_forecast_needs_three_full_days_and_is_a_range() -> None:
    days = {DAY - timedelta(days=2 + number): Decimal(10 + number) for number in range(FULL_DAYS - 1)}
    assert forecast(days, DAY) is None
    days[DAY - timedelta(days=9)] = Decimal(30)
    found = forecast(days, DAY)
    assert found is not None
    assert found.low < found.high


def test_today_and_yesterday_do_not_count_as_full_days() -> None:
    days = {DAY - timedelta(days=number): Decimal(10) for number in range(4)}
    assert forecast(days, DAY) is None, "two of the four are provisional"


def test_a_missing_today_makes_no_drop() -> None:
    full = {date(2026, 11, day): Decimal(10) for day in range(1, 19)}
    with_none = forecast(full, DAY)
    part_booked = forecast({**full, DAY: Decimal("0.5")}, DAY)
    assert with_none is not None
    assert part_booked == with_none
    assert with_none.low == with_none.high == Decimal(300), "ten dollars a day, thirty days"


def test_a_forecast_has_the_shape_of_the_week() -> None:
    """Only weekdays cost: the rest of the month is reckoned by its weekdays and not by the mean."""
    days = {
        day: Decimal(10) if day.weekday() < 5 else Decimal(0)
        for day in (date(2026, 10, 22) + timedelta(days=number) for number in range(28))
    }
    found = forecast(days, DAY)
    assert found is not None
    assert found.low == found.high == Decimal(210), "21 weekdays in November 2026"


def test_a_forecast_above_the_budget_is_trouble_only_if_its_lower_end_is() -> None:
    ten = {date(2026, 11, day): Decimal(10) for day in range(1, 19)}
    assert kinds(judge_forecast(facts(days=ten))) == ["budget_forecast"]
    swinging = {day: Decimal(1 if day.day % 14 < 7 else 13) for day in ten}
    found = forecast(swinging, DAY)
    assert found is not None
    assert found.low < 200 < found.high
    assert not judge_forecast(facts(days=swinging)).findings
    early = {date(2026, 11, 1): Decimal(100)}
    assert judge_forecast(facts(days=early)).unknown == {"budget_forecast"}, "too early"


def test_a_spent_budget_is_no_forecast_any_more() -> None:
    days = {date(2026, 11, day): Decimal(20) for day in range(1, 19)}
    assert kinds(judged(days=days)) == ["budget_reached"]


def test_a_limit_set_by_hand_is_named_with_both_values() -> None:
    found = judged(limits=Limits(30_000, frozenset({MODEL}), {}))
    [finding] = found.findings
    assert (finding.kind, finding.values["declared"], finding.values["actual"]) == (
        "limit_drift",
        "200.00 USD",
        "300.00 USD",
    )


def test_every_kind_of_limit_is_compared() -> None:
    tenant = declaration(rate_limits={MODEL: RateLimit(500, 200_000)})
    found = judged(declaration=tenant, limits=Limits(None, None, {MODEL: RateLimit(500, 100)}))
    assert [finding.subject for finding in found.findings] == ["spend limit", "models", f"{MODEL} tokens/min"]
    same = Limits(20_000, frozenset({MODEL}), {MODEL: RateLimit(500, 200_000)})
    assert not judged(declaration=tenant, limits=same).findings


def test_a_soft_budget_has_no_limit_at_openai() -> None:
    soft = declaration(budget=Budget(200, hard=False, alert_percent=(80,)))
    assert not judged(declaration=soft, limits=Limits(None, frozenset({MODEL}), {})).findings
    assert kinds(judged(declaration=soft)) == ["limit_drift"]
