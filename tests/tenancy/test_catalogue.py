"""The lists of countries and models: whole, dated, and consistent with themselves."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tenancy import catalogue

DATA = Path(catalogue.__file__).parent / "data"


@pytest.mark.parametrize("name", ["openai_countries.json", "openai_models.json", "openai_replacements.json"])
def test_a_list_names_its_source_and_its_date(name: str) -> None:
    held: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    sources = [held["source"]] if isinstance(held["source"], str) else held["source"]
    assert sources
    assert all(source.startswith("https://") for source in sources)
    assert date.fromisoformat(held["date"])


def test_every_country_of_iso_3166_is_either_offered_or_not() -> None:
    offered, others = set(catalogue.OFFERED_COUNTRIES), set(catalogue.OTHER_COUNTRIES)
    assert not offered & others
    assert len(offered | others) == 249, "ISO 3166-1 assigns 249 codes"
    assert all(re.fullmatch("[A-Z]{2}", code) for code in offered | others)


def test_countries_under_embargo_and_china_are_not_offered() -> None:
    assert {"CN", "HK", "MO", "RU", "BY", "IR", "KP", "SY", "CU", "VE"} <= set(catalogue.OTHER_COUNTRIES)
    assert {"CR", "DE", "NO", "US", "GB", "JP", "TW", "UA", "SA"} <= set(catalogue.OFFERED_COUNTRIES)


def test_a_model_is_offered_or_shut_down_by_the_lists_own_date() -> None:
    listed: str = json.loads((DATA / "openai_models.json").read_text(encoding="utf-8"))["date"]
    assert not set(catalogue.OFFERED_MODELS) & set(catalogue.SHUT_DOWN_MODELS)
    assert all(day is None or day > listed for day in catalogue.OFFERED_MODELS.values())
    assert all(day <= listed for day in catalogue.SHUT_DOWN_MODELS.values())


def test_the_models_that_tenants_ask_for_are_listed() -> None:
    asked = {"gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1-mini", "gpt-4o-mini", "gpt-5.4-mini", "gpt-6-luna"}
    assert asked <= set(catalogue.OFFERED_MODELS)


def test_a_models_name_fits_a_tag_that_joins_names_by_a_space() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]+", model) for model in catalogue.OFFERED_MODELS)
