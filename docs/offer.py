"""Generates what the health function knows of OpenAI's offer: countries, replacements of models, and their prices.

Countries and replacements are those of `tenancy/data/`; prices are those of the package genai-prices, which nothing
deployed holds. A model that it has no price for gets none, and never another model's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, TieredPrices

from tenancy.catalogue import OFFERED_COUNTRIES

DATA = Path(__file__).resolve().parents[1] / "tenancy" / "data"


def offer() -> dict[str, Any]:
    countries, replaced = _read("openai_countries.json"), _read("openai_replacements.json")
    openai = next(one for one in get_snapshot().providers if one.id == "openai")
    replacements: dict[str, str] = replaced["replaced_by"]
    known = {name: found for name in replacements.values() if (found := openai.find_model(name)) is not None}
    as_of = read_on(known.values())
    return {
        "about": "Written by `python -m docs.generate`. USD for a million tokens, standard tier, shortest prompts.",
        "countries_as_of": countries["date"],
        "countries_source": countries["source"],
        "replacements_as_of": replaced["date"],
        "replacements_source": replaced["source"],
        "prices_as_of": as_of.isoformat(),
        "prices_source": f"genai-prices {version('genai-prices')}, from {_page(openai)}",
        "countries": sorted(OFFERED_COUNTRIES),
        "replacements": {
            model: {"model": name, **(prices(known[name], as_of) if name in known else {})}
            for model, name in sorted(replacements.items())
        },
    }


def read_on(models: Iterable[ModelInfo]) -> date:
    """The day since when nobody has read one of these models' prices on OpenAI's page: the package has the days in its
    comments, and its own release is later."""
    days = [re.findall(r"verified on (\d{4}-\d\d-\d\d)", model.price_comments or "") for model in models]
    return min(date.fromisoformat(max(found)) for found in days)


def prices(model: ModelInfo, day: date) -> dict[str, str]:
    held = model.get_prices(datetime(day.year, day.month, day.day, tzinfo=UTC))
    found = {"input_usd": _lowest(held.input_mtok), "output_usd": _lowest(held.output_mtok)}
    return {name: str(usd) for name, usd in found.items() if usd is not None}


def _lowest(price: Decimal | TieredPrices | None) -> Decimal | None:
    return price.base if isinstance(price, TieredPrices) else price


def _page(provider: Provider) -> str:
    return (provider.pricing_urls or [""])[0]


def _read(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
