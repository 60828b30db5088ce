"""`myflux-keys new`: writes a tenant's file, from flags or from answers at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

import tenancy
from ops.actions import credential_choice, new_questions, new_tenant
from ops.actions.new_questions import CREDENTIAL, EVERY_DAYS, EVERY_HOURS, Question
from ops.cli import ask, options, output
from tenancy import TenancyError
from tenancy.catalogue import OFFERED_COUNTRIES, OFFERED_MODELS

_LISTS = "?"
"""The answer that asks for a list instead; text after it searches."""


def _starting(names: Mapping[str, Any]) -> Callable[[str], list[str]]:
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


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
    name: Annotated[
        str,
        typer.Option(
            help="The name for people: commands, messages and the connect page show it. AWS gets it; OpenAI does not."
        ),
    ] = "",
    cell: Annotated[str, typer.Option(help="The cell that serves it.", autocompletion=options.complete_cell)] = "",
    country: Annotated[
        str,
        typer.Option(
            help="ISO 3166-1 code, two letters; `?` lists the countries.", autocompletion=_starting(OFFERED_COUNTRIES)
        ),
    ] = "",
    key_source: Annotated[
        str, typer.Option("--source", help="managed (MyFlux mints the keys) or customer (their own account).")
    ] = "",
    organization_id: Annotated[
        str,
        typer.Option(help="With --source customer: their OpenAI organization, if they give an admin key of it."),
    ] = "",
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="A model; `?` lists the models. Repeat for more; the first one is the default.",
            autocompletion=_starting(OFFERED_MODELS),
        ),
    ] = None,
    consumers: Annotated[
        list[str] | None,
        typer.Option("--consumer", help="Who uses the key: myflux (the default) or cinnox. Repeat for both."),
    ] = None,
    isolation: Annotated[
        str, typer.Option(help="shared (the default), or dedicated: a KMS key and a role of the tenant's own.")
    ] = "",
    credential: Annotated[
        str,
        typer.Option(help="key (the default), or federated: none is stored. The command recommends one and says why."),
    ] = "",
    permission: Annotated[
        str, typer.Option(help="What a minted key may do: restricted (the default), read_only or all.")
    ] = "",
    rate_limits: Annotated[
        list[str] | None,
        typer.Option(
            "--rate-limit",
            metavar="MODEL=REQUESTS,TOKENS",
            help="A model's requests and tokens a minute. Repeat for more models.",
        ),
    ] = None,
    every_days: Annotated[str, typer.Option(help="Longest time between two rotations, in days.")] = "",
    every_hours: Annotated[str, typer.Option(help="The same in hours: 4, 6, 8 or 12.")] = "",
    overlap_hours: Annotated[str, typer.Option(help="How long the old key stays valid after a rotation.")] = "",
    monthly_usd: Annotated[str, typer.Option(help="Budget a month in whole US dollars. Default: no budget.")] = "",
    soft: Annotated[bool, typer.Option("--soft", help="Over budget, OpenAI sends alerts and blocks no call.")] = False,
    alerts: Annotated[
        list[str] | None, typer.Option("--alert-percent", help="Part of the budget at which an alert is sent. Repeat.")
    ] = None,
    emails: Annotated[
        list[str] | None, typer.Option("--email", help="An address that gets the budget's alerts. Repeat.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file, and write nothing.")] = False,
    fleet: options.Folder = options.DEFAULT_FLEET,
    as_json: options.Json = False,
) -> None:
    """Write a new tenant's file, checked by the same rules as `validate`. Deploys nothing.

    On a terminal it asks for fields that no option sets, and checks each answer before the next question; `?` lists
    what can be answered. It never overwrites a file, and refuses the slug of a tenant that was off-boarded.
    """
    root = fleet.resolve()
    new_tenant.free(root, tenant)
    base, notices = new_tenant.like(new_tenant.written(root, like)) if like else ({}, {})
    answers = {
        "name": name,
        "cell": cell,
        "country": country,
        "source": key_source,
        "organization_id": organization_id,
        "models": " ".join(models or []),
        "consumers": " ".join(consumers or []),
        "isolation": isolation,
        CREDENTIAL.field: credential,
        "permission": permission,
        "rate_limits": " ".join(rate_limits or []),
        EVERY_DAYS: every_days,
        EVERY_HOURS: every_hours,
        "rotation.overlap_hours": overlap_hours,
        "budget.monthly_usd": monthly_usd,
        "budget.hard": "false" if soft else "",
        "budget.alert_percent": " ".join(alerts or []),
        "budget.emails": " ".join(emails or []),
    }
    for field in ("country", "models"):
        if answers[field].startswith(_LISTS):
            choices = new_questions.choices(new_questions.question(field), root)
            output.result(dict(choices), _listed(choices, answers[field]), as_json=as_json)
            return
    content, loaded = _accepted(root, tenant, answers, base)
    for notice in [*new_tenant.true_of(loaded.tenants[tenant], notices), *map(str, loaded.notices)]:
        output.step(notice)
    made = loaded.tenants[tenant]
    advice = credential_choice.advice(made.model_dump(), root)
    output.step(credential_choice.sentence(made, advice))
    path = root / "tenants" / f"{tenant}.yaml"
    facts: dict[str, Any] = {"tenant": tenant, "file": str(path), "content": content, "written": not dry_run}
    facts["recommended"] = {"credential": advice.kind, "why": advice.why}
    if dry_run:
        output.result(facts, content.rstrip("\n"), as_json=as_json)
        return
    new_tenant.write(root, tenant, content)
    output.result(facts, f"Wrote {path}. Commit it; `myflux-keys up {tenant}` deploys it.", as_json=as_json)


def _accepted(root: Path, slug: str, answers: dict[str, str], base: dict[str, Any]) -> tuple[str, tenancy.Fleet]:
    """The file's text, which `tenancy` accepts. On a terminal, asks again for each refused answer."""
    if ask.can_answer():
        _ask(root, slug, answers, base)
    else:
        _complete(answers, base)
    while True:
        content = new_tenant.text(new_tenant.fields(slug, answers, base))
        try:
            return content, new_tenant.check(root, slug, content)
        except TenancyError as refused:
            own = [problem.field for problem in refused.problems if Path(problem.file).stem == slug]
            asked = [one for one in new_questions.QUESTIONS if new_questions.fits(one, answers, base)]
            again = [one for one in asked if new_questions.concerned(one, own)]
            if not again or not ask.can_answer():
                raise
            output.step("\n".join(map(str, refused.problems)))
            for question in again:
                _answer(question, root, slug, answers, base)


def _complete(answers: dict[str, str], base: dict[str, Any]) -> None:
    """Without a terminal: ends the command where a field is missing."""
    missing = [one.flag for one in new_questions.left(answers, base) if not one.optional and one.field != "source"]
    if missing:
        output.fail(f"this is not a terminal: add {', '.join(missing)}. Nothing was written.", 2)
    answers["source"] = answers["source"] or base.get("source") or "managed"


def _ask(root: Path, slug: str, answers: dict[str, str], base: dict[str, Any]) -> None:
    # Listed again after each answer: with `source: customer` other questions are left.
    done: set[str] = set()
    while left := [question for question in new_questions.left(answers, base) if question.field not in done]:
        question = left[0]
        done.add(question.field)
        if question is CREDENTIAL:
            advice = credential_choice.advice(new_tenant.fields(slug, answers, base), root)
            if advice.kind != "federated":
                continue
            output.step(f"Recommended: {advice.kind}, since {advice.why}")
            question = replace(question, default=advice.kind)
        _answer(question, root, slug, answers, base)


def _answer(question: Question, root: Path, slug: str, answers: dict[str, str], base: dict[str, Any]) -> None:
    """Asks until `tenancy` accepts this one answer, whatever is still missing in others."""
    choices = new_questions.choices(question, root)
    default = answers.get(question.field) or question.default
    if question.field == "cell" and not default and len(choices) == 1:
        (default,) = choices
    text = f"{question.text}{f'; {_LISTS} lists them' if choices else ''}"
    while True:
        answer = ask.text(text, default)
        if choices and answer.startswith(_LISTS):
            output.step(_listed(choices, answer))
            continue
        answers[question.field] = answer
        if question.field == EVERY_DAYS:
            answers[EVERY_HOURS] = ""
        content = new_tenant.text(new_tenant.fields(slug, answers, base))
        refused = [
            one for one in new_tenant.refused(root, slug, content) if new_questions.concerned(question, [one.field])
        ]
        if not refused:
            return
        for problem in refused:
            output.step(f"{problem.reason} Way out: {problem.way_out}")


def _listed(choices: Mapping[str, str], answer: str) -> str:
    """The choices that hold the text after the `?`, one on a line."""
    sought = answer.removeprefix(_LISTS).strip().lower()
    lines = [f"{name}  {means}".rstrip() for name, means in choices.items()]
    return "\n".join(line for line in lines if sought in line.lower())
