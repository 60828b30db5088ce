"""What OpenAI offers, from the text of `catalogue.json` in the platform's bucket.

Owns its form, that of the file beside this one, which `docs/offer.py` writes. What is missing is unknown, and so is
everything of a text that cannot be read: a cycle goes on without it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from functions.health.facts import Catalogue, Replacement
from functions.shared import log


def read_catalogue(text: str | None) -> Catalogue:
    """Empty without a text. Prices without a date are left out: nobody could say how old they are."""
    if text is None:
        return Catalogue()
    try:
        fields: Any = json.loads(text)
        as_of = date.fromisoformat(fields["prices_as_of"]) if "prices_as_of" in fields else None
        replacements: Mapping[str, Any] = fields.get("replacements", {})
        named = {model: _replacement(one, priced=as_of is not None) for model, one in replacements.items()}
        countries = frozenset(map(str, fields["countries"])) if "countries" in fields else None
        return Catalogue(countries, named, as_of)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        log.line("health.catalogue_unreadable", level=logging.ERROR, error=f"{type(error).__name__}: {error}")
        return Catalogue()


def _replacement(fields: Mapping[str, Any], *, priced: bool) -> Replacement:
    prices = [Decimal(str(fields[of])) if priced and of in fields else None for of in ("input_usd", "output_usd")]
    return Replacement(str(fields["model"]), *prices)
