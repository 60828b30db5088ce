"""A new tenant's file, made from answers and from another tenant's file.

Owns the text and writing the file. Leaves out the questions (`new_questions`) and every rule about a tenant: `tenancy`
checks the text before it is written. The text holds the answers and no defaults: when a default changes, it changes for
this tenant too, as it does for a file that a person wrote.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tenancy
from myflux_keys.names import TENANT_SLUG
from myflux_keys.payload import CUSTOMER
from ops import selection
from ops.actions.new_questions import (
    EVERY_DAYS,
    EVERY_HOURS,
    ITS_OWN,
    Answers,
    is_default,
    meaning,
)
from ops.errors import OperationError
from tenancy import Fleet, Problem, TenancyError, Tenant, archive, document, source
from tenancy.tenant import MANAGED_ONLY

_HEADER: Final = "# yaml-language-server: $schema=../docs/schema/tenant.schema.json\n"


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


def written(root: Path, other: str) -> dict[str, Any]:
    """The fields that the other tenant's file contains, without defaults, so that `like` copies no default."""
    chosen = selection.one_tenant(tenancy.load(root, only=other), other)
    return document.parse(source.read(root / "tenants" / f"{chosen.tenant}.yaml", root)).data


def like(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields that a new tenant copies from another's file, and notices by the field that it does not copy.

    Budget emails are not copied: they belong to people of the other customer.
    """
    base = {name: value for name, value in fields.items() if name not in ITS_OWN}
    notices: dict[str, str] = {}
    budget: Any = base.get("budget")
    if isinstance(budget, dict) and "emails" in budget:
        base["budget"] = {name: value for name, value in budget.items() if name not in ("emails", "alert_percent")}  # pyright: ignore[reportUnknownVariableType]
        notices["budget.emails"] = (
            "Not copied: budget.emails and budget.alert_percent, which belong to people of the other customer."
        )
        if budget.get("hard") is False:  # pyright: ignore[reportUnknownMemberType]
            base["budget"]["hard"] = True
            notices["budget.hard"] = "budget.hard is now true: a soft budget without alerts has no effect."
    if "organization_id" in fields:
        notices["organization_id"] = "Not copied: organization_id, which belongs to the other customer."
    return base, notices


def true_of(tenant: Tenant, notices: Mapping[str, str]) -> list[str]:
    """Those of `like`'s notices that are true of the finished tenant: it may have no budget, or a soft one."""
    budget = tenant.budget
    untrue = {"budget.emails": budget is None, "budget.hard": budget is None or not budget.hard}
    return [text for field, text in notices.items() if not untrue.get(field)]


def fields(slug: str, answers: Answers, base: Mapping[str, Any]) -> dict[str, Any]:
    """The file's fields. A text where a number belongs is kept, and `tenancy` refuses it."""
    made: dict[str, Any] = {"tenant": slug, **base}
    source = answers.get("source") or base.get("source")
    if source == CUSTOMER:
        made.pop("credential", None)
    if source == CUSTOMER and not answers.get("organization_id"):
        made = {name: value for name, value in made.items() if name not in MANAGED_ONLY}
    if answers.get(EVERY_DAYS) or answers.get(EVERY_HOURS):
        overlap = base.get("rotation", {}).get("overlap_hours")
        made["rotation"] = {} if overlap is None else {"overlap_hours": overlap}
    for field, answer in answers.items():
        if not answer:
            continue
        top, _, inner = field.partition(".")
        if is_default(field, answer):
            made.pop(top, None)
        elif inner:
            made[top] = {**made.get(top, {}), inner: meaning(field, answer)}
        else:
            made[top] = meaning(field, answer)
    if "rate_limits" in made and answers.get("models") and not answers.get("rate_limits"):
        made["rate_limits"] = {model: limit for model, limit in made["rate_limits"].items() if model in made["models"]}
    return {name: made[name] for name in Tenant.model_fields if name in made}


def text(values: Mapping[str, Any]) -> str:
    """One line for each field, like the files in tenants/."""
    return _HEADER + "".join(f"{name}: {document.flow(value)}\n" for name, value in values.items())


def check(root: Path, slug: str, content: str) -> Fleet:
    """The fleet with the new file. Raises TenancyError for a file that breaks a rule."""
    return tenancy.load(root, only=slug, draft=content)


def refused(root: Path, slug: str, content: str) -> list[Problem]:
    """The problems of this tenant's file alone, of which an unfinished one has some."""
    try:
        check(root, slug, content)
    except TenancyError as error:
        return [problem for problem in error.problems if Path(problem.file).stem == slug]
    return []


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


def _path(root: Path, slug: str) -> Path:
    return root / "tenants" / f"{slug}.yaml"
