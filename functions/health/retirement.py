"""When OpenAI shuts a tenant's models down, from the `shutdown_date` in its list of models.

Owns how a date is read and the stages: 90, 30 and 7 days before, and the day itself, which begins at 00:00 UTC. A date
that is absent or malformed is no promise that the model stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from functions.health.facts import ABSENT, Catalogue, Facts
from functions.health.trouble import Finding, Judgement

STAGES: Final = ((7, 3), (30, 2), (90, 1))
"""Days left at most, and the stage."""
OLD_DAYS: Final = 90
"""Prices that were read longer ago are told with their date."""
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True)
class Shutdown:
    """`word` is ``none announced``, ``not said``, ``unreadable``, ``ahead``, ``today`` or ``past``; `days` until then,
    None where there is no date."""

    word: str
    days: int | None = None


def read_shutdown(sent: str | None, today: date) -> Shutdown:
    """`sent` as OpenAI sent it: a text, None for null, or ABSENT."""
    if sent is None:
        return Shutdown("none announced")
    if sent == ABSENT:
        return Shutdown("not said")
    try:
        day = date.fromisoformat(sent) if _ISO.fullmatch(sent) else None
    except ValueError:
        day = None
    if day is None:
        return Shutdown("unreadable")
    days = (day - today).days
    return Shutdown("today" if days == 0 else "ahead" if days > 0 else "past", days)


def today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def retired(sent: str | None, now: float) -> bool:
    days = read_shutdown(sent, today(now)).days
    return days is not None and days <= 0


def judge_retirement(facts: Facts, catalogue: Catalogue) -> Judgement:
    """For each declared model. `unknown` if OpenAI gave no readable answer about one of them."""
    if facts.declaration is None:
        return Judgement(unknown=frozenset({"model_retiring", "model_retired"}))
    listed = facts.listing.models if facts.listing else dict[str, str | None]()
    findings: list[Finding] = []
    unclear = False
    for model in facts.declaration.models:
        # A tenant whose key may not list models has those that others' keys saw.
        sent = listed.get(model, facts.shutdowns.get(model, ABSENT))
        shutdown = read_shutdown(sent, today(facts.now))
        if shutdown.days is None:
            unclear = unclear or shutdown.word != "none announced"
            continue
        values = {
            "model": model,
            "date": str(sent),
            "days": str(shutdown.days),
            **_replacement(model, catalogue, today(facts.now)),
        }
        if shutdown.days <= 0:
            findings.append(Finding("model_retired", model, values=values))
        elif stage := next((stage for most, stage in STAGES if shutdown.days <= most), 0):
            findings.append(Finding("model_retiring", model, stage, values))
    return Judgement(tuple(findings), frozenset({"model_retiring", "model_retired"}) if unclear else frozenset())


def _replacement(model: str, catalogue: Catalogue, day: date) -> dict[str, str]:
    found = catalogue.replacements.get(model)
    if found is None:
        return {}
    if found.input_usd is None or found.output_usd is None:
        return {"replacement": found.model}
    values = {"replacement": found.model, "input_usd": str(found.input_usd), "output_usd": str(found.output_usd)}
    as_of = catalogue.prices_as_of
    if as_of is not None and (day - as_of).days > OLD_DAYS:
        values["prices_as_of"] = as_of.isoformat()
    return values
