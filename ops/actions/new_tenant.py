"""A new tenant's file: from answers, or from another tenant's file, to text that tenancy accepts.

Owns the questions, the text and its writing. Leaves out asking (`ops/cli/`) and every rule about a tenant: `tenancy`
judges the text before it is written, so no rule stands in two places. The text holds what was said and no default: a
default that changes one day then changes for this tenant too, as for a file that a person wrote.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import tenancy
from myflux_keys.names import TENANT_SLUG
from myflux_keys.payload import CUSTOMER, MANAGED
from ops import selection
from ops.errors import OperationError
from tenancy import Fleet, Tenant, archive, document, source
from tenancy.tenant import MANAGED_ONLY

_HEADER: Final = "# yaml-language-server: $schema=../docs/schema/tenant.schema.json\n"
_ITS_OWN: Final = ("tenant", "name", "enabled")
"""What a file made like another's never takes from it."""

Answers = Mapping[str, str]
"""By a question's `field`, as they were given; an empty one was not answered."""


@dataclass(frozen=True)
class Question:
    """`field` is the place in the file, as a refusal names it. `managed`: not asked about a customer's own key."""

    field: str
    flag: str
    text: str
    default: str = ""
    managed: bool = False
    optional: bool = False


QUESTIONS: Final = (
    Question("name", "--name", "Name that people read"),
    Question("cell", "--cell", "Cell that serves the tenant"),
    Question("country", "--country", "Country (ISO 3166-1, two letters)"),
    Question("source", "--source", "Whose OpenAI account and keys (managed: ours, customer: theirs)", MANAGED),
    Question("models", "--model", "Models, the first is the default (with spaces between)"),
    Question("rotation.every_days", "--every-days", "Longest time between two rotations, in days", "31", managed=True),
    Question("rotation.overlap_hours", "--overlap-hours", "Hours that the old key lives on", "24", managed=True),
    Question(
        "budget.monthly_usd",
        "--monthly-usd",
        "Budget in US dollars a month (nothing: none)",
        managed=True,
        optional=True,
    ),
)
EVERY_HOURS: Final = "rotation.every_hours"
"""By a flag alone: few tenants rotate within a day."""


def free(root: Path, slug: str) -> None:
    """Raises OperationError where no tenant can be called `slug`. `root` holds tenants/."""
    if not TENANT_SLUG.fullmatch(slug):
        raise OperationError(
            f"`{slug}` is no slug: 3 to 32 of a-z, 0-9 and -, starting with a letter, since it becomes part of names "
            "in AWS. `--name` is for the name that people read. Nothing was written."
        )
    if os.path.lexists(_path(root, slug)):
        raise OperationError(
            f"{_path(root, slug)} exists, and a tenant's file is never overwritten: edit it. Nothing was written."
        )
    used = archive.reused(root, slug)
    if used is not None:
        raise OperationError(f"{slug}: {used.reason} Way out: {used.way_out} Nothing was written.")


def asked(answers: Answers, base: Mapping[str, Any]) -> list[Question]:
    """The questions that this tenant's file leaves open, required or not. `base` is another tenant's file."""
    source = answers.get("source") or base.get("source") or MANAGED
    return [
        question
        for question in QUESTIONS
        if not answers.get(question.field)
        and question.field.split(".")[0] not in base
        and not (question.managed and source == CUSTOMER)
        and not (question.field == "rotation.every_days" and answers.get(EVERY_HOURS))
    ]


def written(root: Path, other: str) -> dict[str, Any]:
    """The other tenant's file in its own words, so that what it leaves out is left out by `like` too."""
    chosen = selection.one_tenant(tenancy.load(root, only=other), other)
    return document.parse(source.read(root / "tenants" / f"{chosen.tenant}.yaml", root)).data


def like(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a new tenant takes from another's file, and what a person should know about the rest.

    Not who hears of spending: those are the other customer's people.
    """
    base = {name: value for name, value in fields.items() if name not in _ITS_OWN}
    told: list[str] = []
    budget: Any = base.get("budget")
    if isinstance(budget, dict) and "emails" in budget:
        base["budget"] = {name: value for name, value in budget.items() if name not in ("emails", "alert_percent")}  # pyright: ignore[reportUnknownVariableType]
        told.append(
            "Left out: who hears of spending (budget.emails, budget.alert_percent), the other customer's people."
        )
        if budget.get("hard") is False:  # pyright: ignore[reportUnknownMemberType]
            base["budget"]["hard"] = True
            told.append("The budget is hard now: without alerts a soft one would do nothing.")
    return base, told


def fields(slug: str, answers: Answers, base: Mapping[str, Any]) -> dict[str, Any]:
    """The file's fields. What is no number where one belongs stays as it was said, for tenancy to refuse."""
    made: dict[str, Any] = {"tenant": slug, **base}
    if answers.get("source") == CUSTOMER:
        made = {name: value for name, value in made.items() if name not in MANAGED_ONLY}
    if answers.get("rotation.every_days") or answers.get(EVERY_HOURS):
        overlap = base.get("rotation", {}).get("overlap_hours")
        made["rotation"] = {} if overlap is None else {"overlap_hours": overlap}
    for place, said in answers.items():
        if not said:
            continue
        top, _, inner = place.partition(".")
        value: Any = said.replace(",", " ").split() if place == "models" else _number(said) if inner else said
        if inner:
            made[top] = {**made.get(top, {}), inner: value}
        else:
            made[top] = value
    if "rate_limits" in made and answers.get("models"):
        made["rate_limits"] = {model: limit for model, limit in made["rate_limits"].items() if model in made["models"]}
    return {name: made[name] for name in Tenant.model_fields if name in made}


def _number(said: str) -> int | str:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else said


def text(values: Mapping[str, Any]) -> str:
    """One line a field, as the files that ship are written."""
    return _HEADER + "".join(f"{name}: {_flow(value)}\n" for name, value in values.items())


def _flow(value: Any) -> str:
    dumped = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False)
    # Not `strip`: a value may end in a space of another alphabet, which YAML writes as it is.
    return dumped.removesuffix("\n...\n").removesuffix("\n")


def check(root: Path, slug: str, content: str) -> Fleet:
    """Raises TenancyError for a file that is not to be written."""
    return tenancy.load(root, only=slug, draft=content)


def write(root: Path, slug: str, content: str) -> Path:
    """Whole or not at all, and never over a file that is there. Raises OperationError."""
    target = _path(root, slug)
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(content)
        Path(draft).chmod(0o644)
        # A link is refused where a move would overwrite.
        target.hardlink_to(draft)
    except FileExistsError:
        raise OperationError(f"somebody has just written {target}: it was not overwritten.") from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def concerned(refused: Iterable[str]) -> list[Question]:
    """The questions whose answers were refused, by the fields that the refusals name."""
    places = [place.split("[")[0] for place in refused]
    return [question for question in QUESTIONS if question.field in places or question.field.split(".")[0] in places]


def _path(root: Path, slug: str) -> Path:
    return root / "tenants" / f"{slug}.yaml"
