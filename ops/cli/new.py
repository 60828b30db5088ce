"""`myflux-keys new`: writes a tenant's file, from flags or from answers at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import tenancy
from ops.actions import new_tenant
from ops.actions.new_tenant import EVERY_HOURS, Question
from ops.cli import ask, options, output
from tenancy import TenancyError, source


def new(
    tenant: Annotated[str, typer.Argument(help="The new tenant's slug. It cannot be changed or used again.")],
    like: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Copy fields that no option sets from this tenant's file.",
            metavar="TENANT",
            autocompletion=options.complete_tenant,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The display name.")] = "",
    cell: Annotated[str, typer.Option(help="The cell that serves it.", autocompletion=options.complete_cell)] = "",
    country: Annotated[str, typer.Option(help="ISO 3166-1 code, two letters.")] = "",
    key_source: Annotated[
        str, typer.Option("--source", help="managed (MyFlux mints the keys) or customer (the customer's own key).")
    ] = "",
    models: Annotated[
        list[str] | None, typer.Option("--model", help="A model. Repeat for more; the first one is the default.")
    ] = None,
    every_days: Annotated[str, typer.Option(help="Longest time between two rotations, in days.")] = "",
    every_hours: Annotated[str, typer.Option(help="The same in hours: 4, 6, 8 or 12.")] = "",
    overlap_hours: Annotated[str, typer.Option(help="How long the old key stays valid after a rotation.")] = "",
    monthly_usd: Annotated[str, typer.Option(help="Budget a month in whole US dollars. Default: no budget.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file, and write nothing.")] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Write a new tenant's file, checked by the same rules as `validate`. Deploys nothing.

    On a terminal it asks for fields that no option sets. It never overwrites a file, and refuses the slug of a tenant
    that was off-boarded.
    """
    root = fleet.resolve()
    new_tenant.free(root, tenant)
    base, notices = new_tenant.like(new_tenant.written(root, like)) if like else ({}, [])
    answers = {
        "name": name,
        "cell": cell,
        "country": country,
        "source": key_source,
        "models": " ".join(models or []),
        "rotation.every_days": every_days,
        EVERY_HOURS: every_hours,
        "rotation.overlap_hours": overlap_hours,
        "budget.monthly_usd": monthly_usd,
    }
    content, loaded = _accepted(root, tenant, answers, base)
    for notice in [*notices, *map(str, loaded.notices)]:
        output.step(notice)
    path = root / "tenants" / f"{tenant}.yaml"
    facts: dict[str, Any] = {"tenant": tenant, "file": str(path), "content": content, "written": not dry_run}
    if dry_run:
        output.result(facts, content.rstrip("\n"), as_json=as_json)
        return
    new_tenant.write(root, tenant, content)
    output.result(facts, f"Wrote {path}. Commit it; `myflux-keys up {tenant}` deploys it.", as_json=as_json)


def _accepted(root: Path, slug: str, answers: dict[str, str], base: dict[str, Any]) -> tuple[str, tenancy.Fleet]:
    """The file's text, which `tenancy` accepts. On a terminal, asks again for each refused answer."""
    _complete(root, answers, base)
    while True:
        content = new_tenant.text(new_tenant.fields(slug, answers, base))
        try:
            return content, new_tenant.check(root, slug, content)
        except TenancyError as refused:
            own = [problem.field for problem in refused.problems if Path(problem.file).stem == slug]
            again = new_tenant.concerned(own)
            if not again or not ask.can_answer():
                raise
            output.step("\n".join(map(str, refused.problems)))
            for question in again:
                answers[question.field] = _answer(question, root, answers.get(question.field, ""))


def _complete(root: Path, answers: dict[str, str], base: dict[str, Any]) -> None:
    if not ask.can_answer():
        missing = [q.flag for q in new_tenant.open_questions(answers, base) if not q.optional and q.field != "source"]
        if missing:
            output.fail(f"this is not a terminal: add {', '.join(missing)}. Nothing was written.", 2)
        answers["source"] = answers["source"] or base.get("source") or "managed"
        return
    # Listed again after each answer: with `source: customer` fewer questions are left.
    done: set[str] = set()
    while left := [question for question in new_tenant.open_questions(answers, base) if question.field not in done]:
        answers[left[0].field] = _answer(left[0], root)
        done.add(left[0].field)


def _answer(question: Question, root: Path, before: str = "") -> str:
    default = before or question.default
    if question.field == "cell" and not default:
        cells = [path.stem for path in source.find(root, "cells")[0]]
        default = cells[0] if len(cells) == 1 else ""
    return ask.text(question.text, default)
