"""The countries where OpenAI offers its API, and its models, from `tenancy/data/*.json`. OpenAI itself is not asked."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from tenancy.problems import Refusal

_DATA: Final = Path(__file__).parent / "data"


def _read(name: str) -> dict[str, Any]:
    return json.loads((_DATA / name).read_text(encoding="utf-8"))


_COUNTRIES: Final = _read("openai_countries.json")
_MODELS: Final = _read("openai_models.json")

OFFERED_COUNTRIES: Final[dict[str, str]] = _COUNTRIES["offered"]
OTHER_COUNTRIES: Final[dict[str, str]] = _COUNTRIES["not_offered"]
OFFERED_MODELS: Final[dict[str, str | None]] = _MODELS["offered"]
"""Model id to its announced shutdown date, ISO 8601, or None. Compared with the list's own date and never with the
clock, so that a plan gives the same answer on every day."""
SHUT_DOWN_MODELS: Final[dict[str, str]] = _MODELS["shut_down"]

REPLACEMENTS: Final[dict[str, str]] = _read("openai_replacements.json")["replaced_by"]
"""Model id to the one that OpenAI recommends in its place."""

_HABITS: Final = {"UK": "GB", "EL": "GR", "EN": "GB"}
"""Codes that people often write by mistake, to the ISO 3166-1 code."""


def country_refusal(code: str) -> Refusal | None:
    if code in OFFERED_COUNTRIES:
        return None
    if code in OTHER_COUNTRIES:
        return Refusal(
            "country-not-offered",
            f"OpenAI does not offer its API in {OTHER_COUNTRIES[code]}, and may block accounts used there.",
            "serve the tenant from a country where the API is offered. If OpenAI now lists this one, move it to "
            f"`offered` in tenancy/data/openai_countries.json. List dated {_COUNTRIES['date']}: {_COUNTRIES['source']}",
        )
    upper = code.upper()
    if upper in OTHER_COUNTRIES:
        return country_refusal(upper)
    meant = _HABITS.get(upper) or (upper if upper in OFFERED_COUNTRIES else None)
    hint = f"did you mean {meant}?" if meant else "write the two capital letters, for example CR for Costa Rica."
    return Refusal("country-unknown", "A country is an ISO 3166-1 alpha-2 code: two capital letters.", hint)


def model_refusal(model: str) -> Refusal | None:
    if model in OFFERED_MODELS:
        return None
    if model in SHUT_DOWN_MODELS:
        return Refusal(
            "model-shut-down",
            f"OpenAI shut this model down on {SHUT_DOWN_MODELS[model]}: every call would fail.",
            "choose an offered model; https://developers.openai.com/api/docs/deprecations lists replacements.",
        )
    close = get_close_matches(model, OFFERED_MODELS, n=3)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return Refusal(
        "model-unknown",
        f"This model is not in the list of OpenAI's models, dated {_MODELS['date']}.",
        f"{hint}If OpenAI offers the model, add it to tenancy/data/openai_models.json with its source.",
    )


def shutdown(model: str) -> str | None:
    """The shutdown date that OpenAI announced for an offered model, ISO 8601, or None."""
    return OFFERED_MODELS.get(model)
