"""What a change of models, limits or budget costs a month, as a reviewer reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ops import prices
from ops.prices import Call
from ops.review.report_spending import about, cells, facts
from ops.review.spending import Spending, spendings
from ops.review.tenant_files import TenantChange, What
from tenancy import Fleet, Tenant
from tests.review.branches import Branches
from tests.tenancy.files import least

DAY = date(2026, 11, 28)
MINI, LARGE = "gpt-5.4-mini", "gpt-5.4"
BUDGET = {"monthly_usd": 200, "hard": True}


def between(before: dict[str, Any] | None, after: dict[str, Any] | None, what: What = "changed") -> list[Spending]:
    """Of one tenant; None: it has no file on that side."""
    sides = [Fleet({} if fields is None else {"acme": tenant(**fields)}, {}) for fields in (before, after)]
    return list(spendings(sides[0], sides[1], [TenantChange("acme", what, {}, {})], DAY))


def tenant(models: Sequence[str] = (MINI,), **fields: Any) -> Tenant:
    return least(*models, **fields)


def test_another_default_model_costs_what_the_table_says() -> None:
    [one] = between({"models": [MINI]}, {"models": [LARGE, MINI]})
    assert one.before is not None
    assert one.after is not None
    call = Call(2000, 300)
    assert (one.before.model, one.after.model) == (MINI, LARGE)
    assert one.before.usual == prices.cost(MINI, call, DAY) * 30_000
    assert one.after.usual == prices.cost(LARGE, call, DAY) * 30_000
    assert cells(one.after)[0] == f"{one.after.usual:,.2f}"


def test_a_budget_that_goes_up_or_stops_blocking_is_a_figure() -> None:
    [more] = between({"budget": BUDGET}, {"budget": BUDGET | {"monthly_usd": 500}})
    assert [(one.budget, one.hard) for one in (more.before, more.after) if one] == [(200, True), (500, True)]
    soft = BUDGET | {"hard": False, "alert_percent": [80], "emails": ["a@b.example"]}
    [looser] = between({"budget": BUDGET}, {"budget": soft})
    assert [(one.budget, one.hard) for one in (looser.before, looser.after) if one] == [(200, True), (200, False)]


def test_rate_limits_bound_a_month_and_the_tighter_of_the_two_counts() -> None:
    """500 requests of 2,300 tokens are more than 200,000 tokens a minute allow."""
    limits = {MINI: {"requests_per_minute": 500, "tokens_per_minute": 200_000}}
    few = {MINI: {"requests_per_minute": 10, "tokens_per_minute": 200_000}}
    [one] = between({"models": [MINI], "rate_limits": limits}, {"models": [MINI], "rate_limits": few})
    assert one.before is not None
    assert one.after is not None
    a_call = prices.cost(MINI, Call(2000, 300), DAY)
    assert one.before.most == pytest.approx(a_call * 200_000 / 2300 * 1440 * 30)
    assert one.after.most == a_call * 10 * 1440 * 30


def test_a_model_without_a_limit_has_no_most_and_one_without_a_price_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {MINI: {"requests_per_minute": 500, "tokens_per_minute": 200_000}}
    [one] = between({"models": [MINI], "rate_limits": limits}, {"models": [MINI, LARGE], "rate_limits": limits})
    assert one.after is not None
    assert one.after.most is None

    def no_price(model: str, _day: date) -> None:
        raise prices.NoPrice(model)

    monkeypatch.setattr(prices, "price", no_price)
    [other] = between({"models": [MINI]}, {"models": [LARGE]})
    assert other.after is not None
    assert other.after.usual is None, "never another model's"
    assert cells(other.after)[0] == "no price"
    assert "an unknown day" in about([other])


def test_what_costs_nothing_is_left_out() -> None:
    assert between({"country": "CR"}, {"country": "SE"}) == []
    assert between({}, {"models": [LARGE]}, "file removed") == []


def test_new_and_off_boarded_tenants_have_one_side() -> None:
    [new] = between(None, {"models": [MINI], "budget": BUDGET}, "new")
    [gone] = between({"models": [MINI]}, None, "off-boarded")
    assert (new.before, gone.after) == (None, None)
    assert cells(new.before) == cells(gone.after) == ("", "")
    told = facts([new])["tenants"][0]
    assert (told["before"], told["after"]["budget_usd"]) == (None, 200)
    assert Decimal(told["after"]["usual_usd"]) > 0


def test_a_report_and_its_json_say_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    branches = Branches.make(tmp_path_factory.mktemp("reviewed") / "repository")
    branches.start("a dearer model")
    branches.edit("tenants/fjord.yaml", "models: [", f"models: [{LARGE}, ")
    branches.commit("More for Fjord")
    told = json.loads(branches.check("--json").report)["spending"]
    [fjord] = told["tenants"]
    assert (fjord["tenant"], fjord["after"]["model"]) == ("fjord", LARGE)
    assert told["prices"]["as_of"]
    report = branches.check().report
    usual = [f"{Decimal(fjord[side]['usual_usd']):,.2f}" for side in ("before", "after")]
    assert f"| {usual[0]} → {usual[1]} |" in report
    assert about([]).partition(" Prices")[0] in report, "the figures are explained"
