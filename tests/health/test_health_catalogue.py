"""OpenAI's offer as the health function reads it: countries, replacements of models, and prices with their date."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from docs import offer
from functions.health.catalogue import read_catalogue
from functions.health.facts import Catalogue, Listing, Replacement
from functions.health.history import Trouble
from functions.health.messages import message
from functions.health.notices import Notice, Scope
from functions.health.retirement import judge_retirement
from functions.health.trouble import TENANT
from tenancy.catalogue import OFFERED_COUNTRIES, OFFERED_MODELS
from tests.health.given import MODEL, NOW, declaration, facts

FILE = Path(__file__).resolve().parents[2] / "functions" / "health" / "catalogue.json"
HELD = read_catalogue(FILE.read_text(encoding="utf-8"))
UNREAD = ("gpt-5.1", "gpt-5.4-nano", "gpt-audio-mini")
"""Whose replacements nobody has read on OpenAI's page yet."""
DAY = datetime.fromtimestamp(NOW, UTC).date()


def test_the_file_is_what_the_generator_makes() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == offer.offer(), "run `python -m docs.generate`"


def test_it_offers_the_countries_that_tenants_files_may_name() -> None:
    assert HELD.countries == frozenset(OFFERED_COUNTRIES)


def test_each_model_with_a_shutdown_date_has_a_replacement_that_stays_and_has_a_price() -> None:
    ending = {model for model, day in OFFERED_MODELS.items() if day is not None}
    assert HELD.replacements.keys() == {model for model in ending if not model.startswith(UNREAD)}
    for model, found in HELD.replacements.items():
        assert OFFERED_MODELS[found.model] is None, f"{model} would be replaced by one that ends too"
        assert found.input_usd is not None, found.model
        assert found.output_usd is not None, found.model
        assert found.input_usd < found.output_usd
    assert HELD.prices_as_of is not None


def test_a_replacement_without_a_price_gets_none_and_never_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    read = offer._read

    def with_a_new_one(name: str) -> dict[str, Any]:
        held = read(name)
        if "replaced_by" in held:
            held["replaced_by"] = {"gpt-5": "gpt-6.1-sol", "o3": "gpt-6.1-brand-new"}
        return held

    monkeypatch.setattr(offer, "_read", with_a_new_one)
    made = read_catalogue(json.dumps(offer.offer()))
    assert made.replacements["o3"] == Replacement("gpt-6.1-brand-new", None, None)
    assert made.replacements["gpt-5"].input_usd is not None


def test_a_price_that_has_a_start_date_is_that_of_its_day() -> None:
    """gpt-5.6-sol became cheaper on 21 August 2026."""
    assert offer.priced("gpt-5.6-sol", date(2026, 8, 20)) == {"input_usd": "5", "output_usd": "30"}
    assert offer.priced("gpt-5.6-sol", date(2026, 8, 21)) == {"input_usd": "4", "output_usd": "20"}


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"replacements": {"a": {}}}', '{"prices_as_of": "soon"}'])
def test_a_catalogue_that_is_missing_or_unreadable_is_unknown_and_stops_nothing(text: str | None) -> None:
    assert read_catalogue(text) == Catalogue()


def test_a_price_without_its_date_is_not_told() -> None:
    fields: dict[str, Any] = {"replacements": {"a": {"model": "b", "input_usd": "0.1", "output_usd": "0.5"}}}
    assert read_catalogue(json.dumps(fields)).replacements["a"] == Replacement("b")
    dated = read_catalogue(json.dumps(fields | {"prices_as_of": "2026-10-14"}))
    assert dated.replacements["a"] == Replacement("b", Decimal("0.1"), Decimal("0.5"))


@pytest.mark.parametrize(("age", "said"), [(90, False), (91, True)])
@pytest.mark.parametrize(("language", "words"), [("en", "more than 90 days old"), ("es", "de hace más de 90 días")])
def test_prices_of_91_days_say_so(age: int, said: bool, language: str, words: str) -> None:
    as_of = DAY - timedelta(days=age)
    priced = Catalogue(None, {MODEL: Replacement("gpt-6-luna", Decimal("0.1"), Decimal("0.5"))}, as_of)
    [finding] = judge_retirement(facts(listing=Listing(models={MODEL: "2026-11-27"})), priced).findings
    trouble = Trouble(finding.kind, finding.subject, finding.stage, NOW, finding.values)
    told = message(Notice("started", trouble, (Scope(TENANT, "acme"),)), "c", language, {"acme": declaration()}, NOW)
    assert "gpt-6-luna" in told.body
    assert "0.1 USD" in told.body
    assert (words in told.body) == said
    assert (as_of.isoformat() in told.body) == said
