"""What the answers of the cell's functions mean for one tenant, which alone ask OpenAI: pure functions.

Owns the sweep's two answers, and the health function's memory and look. The words of a trouble are those of the health
function's message about it. Leaves out AWS's own answers (`verify.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from functions.health.calls import ALL
from functions.health.causes import Cause
from functions.health.history import Trouble
from functions.health.notices import Scope
from functions.health.spend import dollars
from functions.health.trouble import KINDS, ORGANIZATION, TENANT
from functions.rotation.proof import Proof
from myflux_keys.cell_functions import HEALTH
from ops.actions.end_keys import Seen
from ops.actions.fleet_view import TroubleView
from ops.actions.health_memory import Memory
from ops.actions.sweep import Swept
from ops.actions.trouble_view import of_health
from ops.actions.verify import Step, minute
from tenancy import Cell, Tenant
from tenancy.declaration import declared


def inspected(cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> list[Step]:
    """From the sweep function's look at the live value."""
    slug = tenant.tenant
    asked = f'{cell.names.sweep_function} {{"action": "inspect", "tenant": "{slug}"}}'
    new_key = f"myflux-keys rotate {slug} --wait" if tenant.minted else f"myflux-keys key set {slug}"
    if answer["problem"] is not None:
        return [Step("value of the secret", asked, "wrong", answer["problem"], new_key)]
    until = f", valid until {answer['expires_at']}" if answer["expires_at"] else ""
    found = [
        Step("value of the secret", asked, "ok", f"it is a key of this tenant: {answer['key_id'] or 'no id'}{until}")
    ]
    proof = Proof(answer["proof"])
    accepted = "GET /models/MODEL with the key"
    if proof is Proof.UNCLEAR:
        found.append(Step("key", accepted, "could not be asked", "OpenAI gave no clear answer", "try again later"))
    else:
        told = f"OpenAI's answer: {proof.value.replace('_', ' ')}"
        found.append(Step("key", accepted, "ok" if proof.valid else "wrong", told, "" if proof.valid else new_key))
    if "project" not in answer:
        return found
    wanted = cell.names.tenant(slug).project
    admin = f"GET /organization/projects/{answer['project_id']}, its service account and its keys"
    wrong: list[str] = []
    if answer["project"] is None:
        wrong.append("the project is archived, or not of the admin key's organization")
    elif answer["project"] != wanted:
        wrong.append(f"the project's name is {answer['project']}, not {wanted}")
    elif answer["service_account"] is None:
        wrong.append(f"the project has no service account {answer['service_account_id']}")
    elif not answer["listed"]:
        wrong.append(f"the service account has no key {answer['key_id']}")
    told = f"project {wanted}, service account {answer['service_account']}, key {answer['key_id']}: all there"
    mend = f"myflux-keys sweep {slug} --dry-run"
    found.append(Step("project", admin, "wrong" if wrong else "ok", "; ".join(wrong) or told, mend if wrong else ""))
    return found


def swept(cell: Cell, tenant: Tenant, found: Swept) -> Step:
    """From a dry run of the sweep."""
    asked = f'{cell.names.sweep_function} {{"action": "sweep", "tenants": ["{tenant.tenant}"], "dry_run": true}}'
    mend = f"myflux-keys sweep {tenant.tenant}"
    if not found.done:
        return Step(
            "keys at OpenAI", asked, "could not be asked", "OpenAI's Admin API is busy", "try again in a minute"
        )
    if found.failed:
        return Step("keys at OpenAI", asked, "could not be asked", "; ".join(found.failed.values()), mend)
    if found.for_a_person:
        return Step("keys at OpenAI", asked, "wrong", " ".join(found.for_a_person), f"{mend} --dry-run")
    if orphans := [one for one in found.plan if one["action"] == "revoke"]:
        told = f"{len(orphans)} key that no version holds, which the next sweep revokes"
        return Step("keys at OpenAI", asked, "ok", told)
    fine = "each key is that of a version, and none lives longer than it should" if tenant.has_key else "there is none"
    return Step("keys at OpenAI", asked, "ok", fine)


def closed(cell: Cell, tenant: Tenant, found: Seen) -> list[Step]:
    """Of a disabled tenant whose credential is tokens: it has no federation rule, and no key unless it is being
    switched. `found` has its rules."""
    slug = tenant.tenant
    asked = f'{cell.names.sweep_function} {{"action": "keys", "tenant": "{slug}", "rules": true}}'
    steps = [Step("federation rule", asked, "ok", "there is none, so it gets no token: the tenant is disabled")]
    if found.rules:
        told = (
            f"OpenAI has {', '.join(found.rules)}, which gives tokens, although the tenant is disabled. What `up` does "
            "not delete was made by hand: delete it on OpenAI's site"
        )
        steps = [Step("federation rule", asked, "wrong", told, f"myflux-keys up {slug}")]
    if tenant.has_key:
        return steps
    if found.in_project:
        told = f"{', '.join(found.in_project)} in its project, though it needs none"
        return [*steps, Step("keys at OpenAI", asked, "wrong", told, f"myflux-keys up {slug} --refresh")]
    return [*steps, Step("keys at OpenAI", asked, "ok", "there is none")]


def remembered(cell: Cell, tenant: Tenant, asked: str, memory: Memory) -> Step:
    """For a health function that works. What it found then is no step of its own: it is looked at again now."""
    state = memory.state
    if state is None:
        return Step("health function", asked, "could not be asked", memory.why)
    at = f"it last looked at {minute(datetime.fromtimestamp(state.cycle_began, UTC))}"
    history = state.histories.get(Scope(TENANT, tenant.tenant))
    if tenant.tenant not in state.tenants:
        return Step("health function", asked, "could not be asked", f"{at}, when it did not know this tenant")
    found = list(history.open.values()) if history else []
    known = {tenant.tenant: declared(tenant)}
    told = [of_health(one, Scope(TENANT, tenant.tenant), cell.cell, known).sentence for one in found]
    return Step("health function", asked, "ok", f"{at}, and found {'; '.join(told) or 'nothing wrong with it'}")


_CALLS: Final = ALL | {"country_dropped", "identity_missing"}
_MODELS: Final = frozenset({"model_retiring", "model_retired"})
_LIMITS: Final = frozenset({"limit_drift"})
_MONEY: Final = frozenset({"budget_reached", "budget_forecast"})
_LIFE: Final = frozenset({"key_expiring", "rotation_late", "person_owned_key"})
_ASKED: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "calls": (_CALLS, "GET /models and a billed call of {model} with few tokens, with its key or token"),
    "models": (_MODELS, "shutdown_date of each model in GET /models"),
    "limits": (_LIMITS, "the project's spend_limit, model_permissions and rate_limits"),
    "money": (_MONEY, "costs by day, as the last cycle read them, against the budget"),
    "life of the key": (_LIFE, "the times in the secret's value"),
}
"""By step: the kinds of trouble that it shows, and what is asked for it."""
_OFTEN_UNKNOWN: Final = frozenset({"budget_forecast", "models_hidden", "rate_limited", "limit_raised_waiting"})
"""Kinds that one look often cannot judge, which is no fault."""
NOT_SHOWN: Final = frozenset({"limits", "money"})
"""What a customer's own key does not show, so that it is no step of theirs. Nor of a disabled tenant without a key: the
health function knows its project by its identity, which is gone."""
_BY_THE_KEY: Final = frozenset({"calls", "models", "life of the key"})
"""What needs the key, which is not used for a disabled tenant."""


def looked(cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> list[Step]:
    """From the health function's look now. A rate limit that was met once is no trouble, and hides whether there is
    another."""
    left_out = (
        (frozenset({"life of the key"}) if not tenant.has_key else frozenset[str]())
        | (NOT_SHOWN if not tenant.minted else frozenset[str]())
        | (_BY_THE_KEY if not tenant.enabled else frozenset[str]())
        | (NOT_SHOWN if not tenant.enabled and not tenant.has_key else frozenset[str]())
    )
    lasting = {one["kind"] for one in answer["findings"] if one["kind"] in KINDS and KINDS[one["kind"]].lasting}
    judged = [_finding(one, cell, tenant, answer) for one in answer["findings"] if one["kind"] not in lasting]
    unknown = ({*answer["unknown"]} - _OFTEN_UNKNOWN) | lasting
    told = _told(tenant, answer)
    has_project = not tenant.has_key or answer["secret"] == "there"  # noqa: S105 - a word, and no secret
    silent = _SILENT if has_project else dict[str, str]()
    model = answer["call"]["model"] if answer["call"] else tenant.models[0]
    return [
        _written(cell, tenant, answer),
        *(
            _judged(
                step,
                f"{cell.names.function(HEALTH)}: {asked.format(model=model, tenant=tenant.tenant)}",
                [one for one in judged if one.kind in kinds],
                bool(kinds & unknown),
                told.get(step, ""),
                silent.get(step, _NOT_USED),
            )
            for step, (kinds, asked) in _ASKED.items()
            if step not in left_out
        ),
        *_of_another_version(cell, [one for one in judged if one.kind not in KINDS]),
    ]


def _of_another_version(cell: Cell, found: Sequence[TroubleView]) -> list[Step]:
    """What belongs to none of the steps, since a later version of the function knows more."""
    if not found:
        return []
    asked = f"{cell.names.function(HEALTH)}: all that it judges"
    return [_judged("other findings", asked, found, unknown=False, told="", silent="")]


_NOT_USED: Final = "the function found no key or token that it could use, or OpenAI did not answer"
_SILENT: Final[Mapping[str, str]] = {
    "limits": "OpenAI's Admin API did not tell them: its log has why, and `verify` may be run again in a minute",
    "money": "no cycle of the health function has read the costs yet",
}


def _judged(step: str, asked: str, wrong: Sequence[TroubleView], unknown: bool, told: str, silent: str) -> Step:
    """`told` empty: nothing was answered, so that nothing is wrong is not known either, and `silent` says why."""
    if wrong:
        mend = next((one.command or one.do or "" for one in wrong), "")
        return Step(step, asked, "wrong", "; ".join(one.sentence for one in wrong), mend)
    if unknown or not told:
        return Step(step, asked, "could not be asked", told or silent)
    return Step(step, asked, "ok", told)


def _written(cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> Step:
    asked = f"{cell.names.function(HEALTH)}: declarations/{tenant.tenant}.json in the health bucket"
    if answer["declared"]:
        return Step("declaration", asked, "ok", "it is there, and of this tenant")
    why = answer["declaration_problem"] or "there is none, so the health function does not know what the file says"
    return Step("declaration", asked, "wrong", why, f"myflux-keys up {tenant.tenant}")


def _finding(one: Mapping[str, Any], cell: Cell, tenant: Tenant, answer: Mapping[str, Any]) -> TroubleView:
    """In the words of the message about it, and with what it says to do: the step's own line has the command alone."""
    trouble = Trouble(one["kind"], one["subject"], one["stage"], _seconds(answer["at"]), one["values"])
    kind = KINDS.get(trouble.kind)
    of_organization = kind is not None and kind.scope == ORGANIZATION and answer["organization"]
    scope = Scope(ORGANIZATION, answer["organization"]) if of_organization else Scope(TENANT, tenant.tenant)
    found = of_health(trouble, scope, cell.cell, {tenant.tenant: declared(tenant)})
    if not found.command or not found.do:
        return found
    return replace(found, sentence=f"{found.sentence}. {found.do[:1].upper()}{found.do[1:]}")


def _told(tenant: Tenant, answer: Mapping[str, Any]) -> dict[str, str]:
    """By step, what OpenAI answered."""
    told: dict[str, str] = {}
    if answer["list"]:
        parts = [_of_call("GET /models", answer["list"], f"{len(answer['list']['models'])} models")]
        if call := answer["call"]:
            parts.append(_of_call(f"a call of {call['model']}", call, "answered"))
        elif answer["list"]["cause"] == Cause.OK.value:
            parts.append("no call was made")
        told["calls"] = "; ".join(parts)
        if answer["list"]["cause"] != Cause.OK.value:
            told["models"] = f"GET /models: {answer['list']['said']}"
        else:
            offered = {model: model in answer["list"]["models"] for model in tenant.models}
            told["models"] = "; ".join(
                f"{model}: {'offered' if one else 'not offered'}" for model, one in offered.items()
            )
    if limits := answer["limits"]:
        cents = limits["spend_limit_cents"]
        spend = "no spend limit" if cents is None else f"spend limit {dollars(cents):.2f} USD a month"
        models = "every model" if limits["models"] is None else ", ".join(limits["models"])
        rates = [
            f"{model}: {one[0]:,} requests, {one[1]:,} tokens a minute" for model, one in limits["rate_limits"].items()
        ]
        told["limits"] = "; ".join([spend, f"models {models}", *rates])
    if answer["month_usd"] is not None:
        budget = f" of {tenant.budget.monthly_usd}" if tenant.budget else ""
        spent = Decimal(answer["month_usd"])
        told["money"] = f"{spent:.2f}{budget} USD this month, before tax; today is not complete"
    if key := answer["key"]:
        until = f"expires {key['expires_at']}" if key["expires_at"] else "the value names no end of it"
        told["life of the key"] = f"made {key['minted_at']}, {until}" if key["minted_at"] else until
    return told


def _of_call(what: str, answer: Mapping[str, Any], well: str) -> str:
    return f"{what}: {well if answer['cause'] == Cause.OK.value else answer['said']}"


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
