"""The questions about a new tenant: which are left, what can be answered, and whose answer was refused.

Owns the answers' text and what it means in the file. Leaves out asking (`ops/cli/`), the file (`new_tenant`), and every
rule about a tenant, which `tenancy` checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from myflux_keys.consumers import CONSUMERS
from myflux_keys.payload import CUSTOMER, MANAGED
from tenancy import source
from tenancy.catalogue import OFFERED_COUNTRIES, OFFERED_MODELS

Answers = Mapping[str, str]
"""By a field of the file, such as ``rotation.every_days``; empty where it was not answered."""

EVERY_DAYS: Final = "rotation.every_days"
EVERY_HOURS: Final = "rotation.every_hours"
ITS_OWN: Final = ("tenant", "name", "organization_id", "enabled", "switching_from")
"""Fields that are never copied from another tenant's file."""


@dataclass(frozen=True)
class Question:
    """`field` is the field of the file, as error messages name it. `minted`: asked only where MyFlux mints the keys.
    `default` of an optional question is what the file means without the field."""

    field: str
    flag: str
    text: str
    default: str = ""
    minted: bool = False
    optional: bool = False


_ORGANIZATION: Final = Question(
    "organization_id",
    "--organization-id",
    "The customer's OpenAI organization, if they give an admin key of it (empty: they give a key)",
    optional=True,
)
CREDENTIAL: Final = Question(
    "credential",
    "--credential",
    "Credential (key: in a secret and rotated, federated: nothing is stored)",
    "key",
    optional=True,
)
"""Asked only where the other answers speak for none: `credential_choice`."""
QUESTIONS: Final = (
    Question("name", "--name", "Display name"),
    Question("cell", "--cell", "Cell that serves the tenant"),
    Question("country", "--country", "Country (ISO 3166-1, two letters)"),
    Question("source", "--source", "Source of keys (managed: MyFlux mints them, customer: their own account)", MANAGED),
    _ORGANIZATION,
    Question("models", "--model", "Models, separated by spaces; the first is the default"),
    Question("consumers", "--consumer", "Who uses the key (myflux, cinnox)", "myflux", optional=True),
    Question(
        "isolation",
        "--isolation",
        "Isolation (shared: the cell's KMS key and role, dedicated: its own)",
        "shared",
        optional=True,
    ),
    CREDENTIAL,
    Question(EVERY_DAYS, "--every-days", "Longest time between two rotations, in days", "31", minted=True),
    Question("rotation.overlap_hours", "--overlap-hours", "Hours that the old key stays valid", "24", minted=True),
    Question(
        "budget.monthly_usd",
        "--monthly-usd",
        "Budget in US dollars a month (empty: no budget)",
        minted=True,
        optional=True,
    ),
)
"""In the order in which they are asked. The other fields are set by options only, since few tenants need them."""


def left(answers: Answers, base: Mapping[str, Any]) -> list[Question]:
    """The questions without an answer, required or not. `base` holds the fields of another tenant's file: what it
    leaves to the default is left so."""
    theirs = _theirs(answers, base)
    own = answers.get(_ORGANIZATION.field)
    found: list[Question] = []
    for question in QUESTIONS:
        top = question.field.split(".")[0]
        if answers.get(question.field) or top in base or (base and question.optional and top not in ITS_OWN):
            continue
        if question is _ORGANIZATION and not theirs:
            continue
        if question.field == EVERY_DAYS and answers.get(EVERY_HOURS):
            continue
        if question.field == EVERY_DAYS and theirs and own:
            # The place for their admin key comes first, then the rotation: docs/adr/0024.
            text = f"{question.text} (empty: none, until their admin key is stored)"
            found.append(replace(question, text=text, default="", optional=True))
        elif fits(question, answers, base):
            found.append(question)
    return found


def fits(question: Question, answers: Answers, base: Mapping[str, Any]) -> bool:
    """Whether the field can be in this tenant's file: where no key is minted, no answer to some questions is
    accepted."""
    rotates = "rotation" in base or any(answers.get(field) for field in (EVERY_DAYS, EVERY_HOURS))
    own = answers.get(_ORGANIZATION.field)
    if question is CREDENTIAL:
        return not _theirs(answers, base)
    return not question.minted or not _theirs(answers, base) or bool(own and rotates)


def _theirs(answers: Answers, base: Mapping[str, Any]) -> bool:
    return (answers.get("source") or base.get("source") or MANAGED) == CUSTOMER


def question(field: str) -> Question:
    return next(one for one in QUESTIONS if one.field == field)


def choices(question: Question, root: Path) -> Mapping[str, str]:
    """What can be answered, each with its meaning; empty for a question that is free. `root` holds cells/."""
    match question.field:
        case "cell":
            return {path.stem: "" for path in source.find(root, "cells")[0]}
        case "country":
            return OFFERED_COUNTRIES
        case "models":
            return {model: f"until {end}" if end else "" for model, end in OFFERED_MODELS.items()}
        case "consumers":
            return {one.name: "" for one in CONSUMERS}
        case _:
            return {}


def concerned(question: Question, refused: Iterable[str]) -> bool:
    """Whether an answer was refused; `refused` holds the fields that the errors name, such as ``models[0]``. The
    question about days is the one to ask again for hours, which only an option sets."""
    field = question.field
    for place in refused:
        inside = EVERY_DAYS if place == EVERY_HOURS else place.split("[")[0]
        if inside == field or inside.startswith(f"{field}.") or field.startswith(f"{inside}."):
            return True
    return False


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _consumers(text: str) -> dict[str, bool]:
    """A name that is none of theirs is kept, and `tenancy` refuses it."""
    used = _words(text)
    return {name: name in used for name in (*(one.name for one in CONSUMERS), *used)}


def _limits(text: str) -> dict[str, dict[str, int | str]]:
    limits: dict[str, dict[str, int | str]] = {}
    for word in text.split():
        model, _, both = word.partition("=")
        requests, _, tokens = both.partition(",")
        limits[model] = {"requests_per_minute": _number(requests), "tokens_per_minute": _number(tokens)}
    return limits


_MEANING: Final[Mapping[str, Callable[[str], Any]]] = {
    "models": _words,
    "consumers": _consumers,
    "rate_limits": _limits,
    EVERY_DAYS: _number,
    EVERY_HOURS: _number,
    "rotation.overlap_hours": _number,
    "budget.monthly_usd": _number,
    "budget.hard": lambda text: text == "true",
    "budget.alert_percent": lambda text: [_number(word) for word in _words(text)],
    "budget.emails": _words,
}


def meaning(field: str, answer: str) -> Any:
    """The value in the file. A text where a number belongs is kept, and `tenancy` refuses it."""
    return _MEANING.get(field, str)(answer)


def is_default(field: str, answer: str) -> bool:
    """Whether the file means the same without the field."""
    return any(one.field == field and one.optional and answer == one.default != "" for one in QUESTIONS)
