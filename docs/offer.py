"""Generates what functions know of OpenAI's offer: health's countries, replacements of models, and their prices; and
the prices that the connect page tells.

Countries and replacements are those of `tenancy/data/`; prices are those of the package genai-prices, which nothing
deployed holds. A model that it has no price for gets none, and never another model's.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from ops import prices
from ops.prices import NoPrice
from tenancy.catalogue import OFFERED_COUNTRIES

_ANSWERS = re.compile(r"gpt-[4-9](\.[0-9])?(-[a-z]+)?|o[1-9](-[a-z]+)?")
DATA = Path(__file__).resolve().parents[1] / "tenancy" / "data"


def offer() -> dict[str, Any]:
    countries, replaced = _read("openai_countries.json"), _read("openai_replacements.json")
    replacements: dict[str, str] = replaced["replaced_by"]
    as_of = prices.day_of(replacements.values())
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


def page_prices() -> dict[str, Any]:
    """Of the models that answer with text. A price whose day nobody knows is left out."""
    known = sorted(one.id for one in prices.openai().models if _ANSWERS.fullmatch(one.id))
    found = {model: _dated(model) for model in known}
    return {
        "about": "Written by `python -m docs.generate`. USD for a million tokens, standard tier, shortest prompts.",
        "source": f"{prices.SOURCE}, from {prices.page()}",
        "models": {model: held for model, held in found.items() if "as_of" in held and len(held) == 3},
    }


def _dated(model: str) -> dict[str, str]:
    day = prices.as_of([model])
    return {**priced(model, day), "as_of": day.isoformat()} if day else {}


def priced(model: str, day: date) -> dict[str, str]:
    try:
        held = prices.price(model, day)
    except NoPrice:
        return {}
    found = {"input_usd": held.input, "output_usd": held.output}
    return {name: str(usd) for name, usd in found.items() if usd is not None}


def _read(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))
