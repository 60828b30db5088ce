"""What `models` knows: no price and no replacement that nobody gave, and lines that a tenant's file takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import yaml

from ops.actions import models
from tenancy.catalogue import OFFERED_MODELS
from tests.tenancy.files import least

TODAY = date(2026, 11, 30)


MODELS = ("gpt-5-mini", "gpt-5.4-mini")


def test_every_model_of_a_file_is_shown_and_one_without_a_price_has_none() -> None:
    found = {one.model: one for one in models.offered(TODAY)}
    assert list(found) == list(OFFERED_MODELS)
    assert found["gpt-6.2-sol"].price is None
    mini = found["gpt-5.4-mini"]
    assert mini.price is not None
    assert (mini.price.input, mini.price.cached, mini.price.output) == (
        Decimal("0.75"),
        Decimal("0.075"),
        Decimal("4.5"),
    )
    assert (mini.ends, mini.replacement) == (None, None)


def test_a_tenants_models_come_with_the_replacement_that_it_does_not_have_yet() -> None:
    first, second, new = models.of_tenant(least(*MODELS), TODAY)
    assert (first.model, first.default, first.ends) == ("gpt-5-mini", True, date(2026, 12, 11))
    assert (second.allowed, second.default) == (True, False)
    assert (new.model, new.allowed) == (first.replacement, False)


def test_the_lines_to_change_are_a_file_that_is_taken_and_keep_the_limits() -> None:
    limits = {"gpt-5-mini": {"requests_per_minute": 5, "tokens_per_minute": 600}}
    told = models.lines(least(*MODELS, rate_limits=limits))
    assert len(told.splitlines()) == 2
    changed = yaml.safe_load(told)
    assert changed["models"] == ["gpt-6.1-terra", "gpt-5.4-mini"], "the default stays the first"
    assert changed["rate_limits"] == {"gpt-6.1-terra": limits["gpt-5-mini"]}
    again = least(**changed)
    assert models.lines(again) == "", "nothing is left to change"


def test_two_models_with_one_replacement_become_one_and_an_unknown_one_stays() -> None:
    assert yaml.safe_load(models.lines(least("gpt-4o", "gpt-4o-mini"))) == {"models": ["gpt-6-luna"]}
    assert models.lines(least("gpt-5.1")) == "", "nobody has read its replacement"


def test_a_snapshot_is_left_out_only_where_it_is_in_all_as_the_model_that_it_is_of() -> None:
    family = models.facts("gpt-5-mini", TODAY)
    alike, dearer = (replace(family, model=f"gpt-5-mini-2025-08-{day}") for day in ("07", "08"))
    dearer = replace(dearer, price=None)
    alone = replace(family, model="gpt-4o-2024-08-06")
    assert models.told_apart([family, alike, dearer, alone]) == [family, dearer, alone]
