"""Generates what the health function knows of OpenAI's offer: countries, replacements of models, and their prices.

Countries and replacements are those of `tenancy/data/`; prices are those of the package genai-prices, which nothing
deployed holds. A model that it has no price for gets none, and never another model's.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from ops import prices
from ops.prices import NoPrice
from tenancy.catalogue import OFFERED_COUNTRIES

DATA = Path(__file__).resolve().parents[1] / "tenancy" / "data"


def offer() -> dict[str, Any]:
    countries, replaced = _read("openai_countries.json"), _read("openai_replacements.json")
    replacements: dict[str, str] = replaced["replaced_by"]
    as_of = prices.as_of(replacements.values())
    return {
        "about": "Written by `python -m docs.generate`. USD for a million tokens, standard tier, shortest prompts.",
        "countries_as_of": countries["date"],
        "countries_source": countries["source"],
        "replacements_as_of": replaced["date"],
        "replacements_source": replaced["source"],
        "prices_as_of": as_of.isoformat(),
        "prices_source": f"{prices.SOURCE}, from {prices.page()}",
        "countries": sorted(OFFERED_COUNTRIES),
        "replacements": {model: {"model": name, **priced(name, as_of)} for model, name in sorted(replacements.items())},
    }


def priced(model: str, day: date) -> dict[str, str]:
    try:
        held = prices.price(model, day)
    except NoPrice:
        return {}
    found = {"input_usd": held.input, "output_usd": held.output}
    return {name: str(usd) for name, usd in found.items() if usd is not None}


def _read(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
