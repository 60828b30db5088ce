"""A month's cost at a load: each token counted once, no price from another model, and nothing left out in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops import prices
from ops.actions.estimate import DAYS, Load, estimate, tokens_of
from ops.cli.estimate import _aws
from ops.prices import Call, NoPrice, cost
from tests.tenancy.files import least

TODAY = date(2026, 11, 30)
MINI = "gpt-5.4-mini"


def month(load: Load, day: date = TODAY, models: Sequence[str] = (MINI,), **more: Any) -> Any:
    return estimate(least(*models, **more), load, day)


def test_cached_tokens_are_among_those_that_are_sent_and_reasoning_among_the_answer() -> None:
    usd = cost(MINI, Call(1000, 100, 800), TODAY)
    assert usd == (200 * Decimal("0.75") + 800 * Decimal("0.075") + 100 * Decimal("4.5")) / 1_000_000


def test_each_model_is_reckoned_as_if_it_answered_all_calls() -> None:
    made = month(Load(1000, Call(2000, 300)), models=[MINI, "gpt-6-luna"])
    assert [one.model for one in made.models] == [MINI, "gpt-6-luna"]
    first, second = (one.usd for one in made.models)
    assert first == 1000 * DAYS * cost(MINI, Call(2000, 300), TODAY)
    assert second < first
    assert made.complete


def test_a_snapshot_is_priced_as_its_family_with_a_remark() -> None:
    (one,) = month(Load(1, Call(1, 1)), models=["gpt-5.4-mini-2026-03-17"]).models
    assert (one.priced_as, one.remark) == (MINI, "priced as gpt-5.4-mini")


@pytest.mark.parametrize("model", ["ft:gpt-4o:acme::1", "gpt-6.2-sol", "nothing"])
def test_a_model_without_a_price_gets_none(model: str) -> None:
    with pytest.raises(NoPrice, match=model):
        cost(model, Call(1, 1), TODAY)


def test_a_total_with_a_model_without_price_is_incomplete() -> None:
    made = month(Load(1, Call(1, 1)), models=[MINI, "gpt-6.2-sol"])
    assert not made.complete
    assert made.models[1].usd is None
    assert "no price of gpt-6.2-sol" in made.models[1].remark
    assert made.models[0].usd is not None


@pytest.mark.parametrize(("model", "processing"), [("gpt-4o", "flex"), ("gpt-audio-mini", "batch")])
def test_a_discount_that_a_model_does_not_have_is_not_the_standard_price(model: str, processing: Any) -> None:
    assert cost(model, Call(1000, 1000), TODAY) > 0
    with pytest.raises(NoPrice, match=processing):
        cost(model, Call(1000, 1000), TODAY, processing)


@pytest.mark.parametrize("processing", ["flex", "batch"])
def test_a_discount_that_a_model_has_is_half(processing: Any) -> None:
    call = Call(1000, 1000, 500)
    assert cost(MINI, call, TODAY, processing) * 2 == cost(MINI, call, TODAY)


def test_an_answer_by_a_model_that_embeds_has_no_price() -> None:
    assert cost("text-embedding-3-small", Call(1_000_000, 0), TODAY) == Decimal("0.02")
    with pytest.raises(NoPrice, match="output tokens"):
        cost("text-embedding-3-small", Call(10, 1), TODAY)


def test_a_price_that_changes_within_the_month_counts_from_its_day() -> None:
    """gpt-5.6-sol became cheaper on 21 August 2026."""
    call, change = Call(1_000_000, 0), date(2026, 8, 21)
    before, after = cost("gpt-5.6-sol", call, change - timedelta(days=1)), cost("gpt-5.6-sol", call, change)
    assert after < before
    (one,) = month(Load(1, call), change - timedelta(days=10), models=["gpt-5.6-sol"]).models
    assert one.usd == 10 * before + 20 * after


@pytest.mark.parametrize(("days", "old"), [(90, False), (91, True)])
def test_prices_of_91_days_are_said_to_be_old(days: int, old: bool) -> None:
    as_of = prices.as_of([MINI])
    assert as_of is not None
    made = month(Load(1, Call(1, 1)), as_of + timedelta(days=days))
    assert (made.prices_as_of, made.old) == (as_of, old)


def test_a_budget_that_is_just_reached_holds_and_one_cent_more_does_not() -> None:
    a_call = cost(MINI, Call(1_000_000, 0), TODAY) * DAYS
    assert a_call == Decimal("22.5")
    budget = {"monthly_usd": 225, "hard": True}
    assert month(Load(10, Call(1_000_000, 0)), budget=budget).budget.holds
    over = month(Load(11, Call(1_000_000, 0)), budget=budget)
    assert not over.budget.holds
    assert over.hard
    assert month(Load(10, Call(1, 1))).budget is None, "a tenant without a budget"


def test_rate_limits_are_compared_with_the_busy_hours() -> None:
    limits = {MINI: {"requests_per_minute": 10, "tokens_per_minute": 20_000}}
    load = Load(6000, Call(1500, 500, 1500), busy_hours=Decimal(10))
    requests, tokens, a_day = month(load, rate_limits=limits).models[0].needs
    assert (requests.needed, requests.holds) == (10, True)
    assert (tokens.needed, tokens.holds) == (20_000, True), "cached tokens count"
    assert (a_day.needed, a_day.holds) == (6000, None), "the tenant's file has no such limit"
    faster = Load(6000, Call(1500, 500), busy_hours=Decimal(5))
    assert [need.holds for need in month(faster, rate_limits=limits).models[0].needs] == [False, False, None]
    assert month(load).models[0].needs[0].holds is None


def test_a_batch_uses_up_no_limit_of_a_minute() -> None:
    """Too many calls for the limits of a minute are none in a batch, which has a limit of its own."""
    limits = {MINI: {"requests_per_minute": 1, "tokens_per_minute": 100}}
    call = Call(1500, 500)
    assert month(Load(6000, call), rate_limits=limits).models[0].needs[0].holds is False
    (need,) = month(Load(6000, call, "batch"), rate_limits=limits).models[0].needs
    assert (need.what, need.needed, need.holds) == ("tokens sent in batches a day", 6000 * 1500, None)


def test_aws_asks_for_the_secret_and_for_the_key_of_a_dedicated_tenant() -> None:
    assert month(Load(1, Call(1, 1))).aws_usd == Decimal("0.40")
    assert month(Load(1, Call(1, 1)), isolation="dedicated").aws_usd == Decimal("1.40")


def test_aws_asks_for_as_many_secrets_as_the_tenant_has() -> None:
    """None where it is federated; one until its switch is complete; two where the customer gives an admin key."""
    load = Load(1, Call(1, 1))
    assert month(load, credential="federated").aws_usd == 0
    assert month(load, credential="federated", switching_from="key").aws_usd == Decimal("0.40")
    assert month(load, source="customer", organization_id="org-acme").aws_usd == Decimal("0.80")
    assert "nothing" in _aws(month(load, credential="federated"))
    assert "0.80 USD for 2 secrets." in _aws(month(load, source="customer", organization_id="org-acme"))


def test_a_text_has_the_larger_number_of_tokens_that_its_characters_and_words_give() -> None:
    assert tokens_of("") == 0
    assert tokens_of("a" * 400) == 100
    assert tokens_of("a b c d e f") == 8


@pytest.mark.parametrize("model", ["text-embedding-3-small", "gpt-audio-mini"])
def test_a_price_whose_day_is_not_known_is_a_price_and_is_said_to_be_old(model: str) -> None:
    """The table has a day for most models that a file may name, and none for some."""
    made = month(Load(1, Call(1, 0)), models=[model])
    assert (made.complete, made.prices_as_of, made.old) == (True, None, True)
