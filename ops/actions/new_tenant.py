"""A new tenant's file, made from answers and from another tenant's file.

Owns the questions, the text and writing the file. Leaves out asking (`ops/cli/`) and every rule about a tenant:
`tenancy` checks the text before it is written. The text holds the answers and no defaults: when a default changes, it
changes for this tenant too, as it does for a file that a person wrote.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tenancy
from myflux_keys.names import TENANT_SLUG
from myflux_keys.payload import CUSTOMER, MANAGED
from ops import selection
from ops.errors import OperationError
from tenancy import Fleet, Tenant, archive, document, source
from tenancy.tenant import MANAGED_ONLY

_HEADER: Final = "# yaml-language-server: $schema=../docs/schema/tenant.schema.json\n"
_ITS_OWN: Final = ("tenant", "name", "enabled")
"""Fields that are never copied from another tenant's file."""

Answers = Mapping[str, str]
"""By a question's `field`; empty where the question was not answered."""


@dataclass(frozen=True)
class Question:
    """`field` is the field of the file, as error messages name it. `managed`: not asked with `source: customer`."""

    field: str
    flag: str
    text: str
    default: str = ""
    managed: bool = False
    optional: bool = False


QUESTIONS: Final = (
    Question("name", "--name", "Display name"),
    Question("cell", "--cell", "Cell that serves the tenant"),
    Question("country", "--country", "Country (ISO 3166-1, two letters)"),
    Question("source", "--source", "Source of keys (managed: MyFlux mints them, customer: their own key)", MANAGED),
    Question("models", "--model", "Models, separated by spaces; the first is the default"),
    Question("rotation.every_days", "--every-days", "Longest time between two rotations, in days", "31", managed=True),
    Question("rotation.overlap_hours", "--overlap-hours", "Hours that the old key stays valid", "24", managed=True),
    Question(
        "budget.monthly_usd",
        "--monthly-usd",
        "Budget in US dollars a month (empty: no budget)",
        managed=True,
        optional=True,
    ),
)
EVERY_HOURS: Final = "rotation.every_hours"
"""Set by an option only, never asked: few tenants rotate within a day."""


def free(root: Path, slug: str) -> None:
    """Raises OperationError where `slug` is not valid or was used before. `root` holds tenants/."""
    if not TENANT_SLUG.fullmatch(slug):
        raise OperationError(
            f"`{slug}` is not a slug: use 3 to 32 characters of a-z, 0-9 and -, starting with a letter, because it "
            "becomes part of names in AWS. `--name` sets the display name. Nothing was written."
        )
    if os.path.lexists(_path(root, slug)):
        raise OperationError(
            f"{_path(root, slug)} exists, and `new` never overwrites a file: edit it. Nothing was written."
        )
    used = archive.reused(root, slug)
    if used is not None:
        raise OperationError(f"{slug}: {used.reason} Way out: {used.way_out} Nothing was written.")


def open_questions(answers: Answers, base: Mapping[str, Any]) -> list[Question]:
    """The questions without an answer, required or not. `base` holds the fields of another tenant's file."""
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
    """The fields that the other tenant's file contains, without defaults, so that `like` copies no default."""
    chosen = selection.one_tenant(tenancy.load(root, only=other), other)
    return document.parse(source.read(root / "tenants" / f"{chosen.tenant}.yaml", root)).data


def like(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields that a new tenant copies from another's file, and notices about fields that it does not.

    Budget emails are not copied: they belong to people of the other customer.
    """
    base = {name: value for name, value in fields.items() if name not in _ITS_OWN}
    notices: list[str] = []
    budget: Any = base.get("budget")
    if isinstance(budget, dict) and "emails" in budget:
        base["budget"] = {name: value for name, value in budget.items() if name not in ("emails", "alert_percent")}  # pyright: ignore[reportUnknownVariableType]
        notices.append(
            "Not copied: budget.emails and budget.alert_percent, which belong to people of the other customer."
        )
        if budget.get("hard") is False:  # pyright: ignore[reportUnknownMemberType]
            base["budget"]["hard"] = True
            notices.append("budget.hard is now true: a soft budget without alerts has no effect.")
    return base, notices


def fields(slug: str, answers: Answers, base: Mapping[str, Any]) -> dict[str, Any]:
    """The file's fields. A text where a number belongs is kept, and `tenancy` refuses it."""
    made: dict[str, Any] = {"tenant": slug, **base}
    if answers.get("source") == CUSTOMER:
        made = {name: value for name, value in made.items() if name not in MANAGED_ONLY}
    if answers.get("rotation.every_days") or answers.get(EVERY_HOURS):
        overlap = base.get("rotation", {}).get("overlap_hours")
        made["rotation"] = {} if overlap is None else {"overlap_hours": overlap}
    for field, answer in answers.items():
        if not answer:
            continue
        top, _, inner = field.partition(".")
        value: Any = answer.replace(",", " ").split() if field == "models" else _number(answer) if inner else answer
        if inner:
            made[top] = {**made.get(top, {}), inner: value}
        else:
            made[top] = value
    if "rate_limits" in made and answers.get("models"):
        made["rate_limits"] = {model: limit for model, limit in made["rate_limits"].items() if model in made["models"]}
    return {name: made[name] for name in Tenant.model_fields if name in made}


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def text(values: Mapping[str, Any]) -> str:
    """One line for each field, like the files in tenants/."""
    return _HEADER + "".join(f"{name}: {document.flow(value)}\n" for name, value in values.items())


def check(root: Path, slug: str, content: str) -> Fleet:
    """The fleet with the new file. Raises TenancyError for a file that breaks a rule."""
    return tenancy.load(root, only=slug, draft=content)


def write(root: Path, slug: str, content: str) -> Path:
    """Atomic, and never overwrites a file. Raises OperationError."""
    target = _path(root, slug)
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(content)
        Path(draft).chmod(0o644)
        # A link is refused where a move would overwrite.
        target.hardlink_to(draft)
    except FileExistsError:
        raise OperationError(f"somebody else has just written {target}: it was not overwritten.") from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return target


def concerned(refused: Iterable[str]) -> list[Question]:
    """The questions whose answers were refused; `refused` holds the fields that the errors name."""
    places = [place.split("[")[0] for place in refused]
    return [question for question in QUESTIONS if question.field in places or question.field.split(".")[0] in places]


def _path(root: Path, slug: str) -> Path:
    return root / "tenants" / f"{slug}.yaml"
