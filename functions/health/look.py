"""One tenant, looked at now because a person asks: what OpenAI answers, and what follows from it.

Owns the answer's form. It remembers nothing, sends nothing and changes nothing, so that a look in the middle of a
trouble neither starts nor ends it. The billed call is made whatever traffic there was: it is what the person wants to
see. Never for a disabled tenant, nor with a key that may only read. Leaves out the decisions (`judge.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from functions.health.causes import cause
from functions.health.facts import Limits
from functions.health.handover_facts import Handing, shown
from functions.health.history import History
from functions.health.judge import judge
from functions.health.notices import Scope
from functions.health.organizations import read_some_handovers, read_some_limits, with_handovers
from functions.health.retirement import today
from functions.health.roster import Roster, roster
from functions.health.services import Services
from functions.health.spend import month_days
from functions.health.state import State, TenantState
from functions.health.tenant_round import Asked, ask_tenant, shutdowns_of
from functions.health.trouble import TENANT, Judgement
from functions.shared.openai_http import OpenAIError
from functions.sweep.request import RequestError
from functions.sweep.tenants import listed_secrets
from myflux_keys.declaration import DeclarationError
from myflux_keys.identity import IdentityError
from myflux_keys.names import TENANT_SLUG
from myflux_keys.payload import iso
from myflux_keys.redaction import redact


def look(services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    """`event` is ``{"action": "look", "tenant": SLUG}``. The answer holds ids, names, dates and amounts, never a key or
    a token; None is what was not asked, or not told. `asked_with`: ``token`` or ``key``. Raises RequestError,
    StateError, or botocore's errors."""
    tenant = event.get("tenant")
    if not isinstance(tenant, str) or not TENANT_SLUG.fullmatch(tenant) or set(event) != {"action", "tenant"}:
        raise RequestError(f"look takes one tenant's slug and nothing else, got {dict(event)!r}")
    cell = services.settings.common.cell
    problem = None
    try:
        declared = services.store.declaration(cell, tenant)
    except DeclarationError as error:
        declared, problem = None, str(error)
    try:
        identity = services.store.identity(cell, tenant)
    except IdentityError as error:
        identity, problem = None, problem or str(error)
    listed = [one for one in listed_secrets(services.secrets, cell) if one.tenant == tenant]
    found = roster({tenant: declared} if declared else {}, listed, {tenant: identity} if identity else {})
    state, _ = services.store.state()
    before, history = state.tenants.get(tenant, TenantState()), state.histories.get(Scope(TENANT, tenant), History())
    # As after a refused call, which is what makes a call due at any time.
    asked = ask_tenant(tenant, found, replace(before, refused=True), history, services)
    services.server_time = asked.server_time
    limits = _limits(found, state, services)
    now = services.now()
    handings = _handovers(found, asked, services)
    remembered = with_handovers(asked.remembered(limits, now), handings, now)
    facts = asked.facts(declared, remembered, limits, shutdowns_of([asked]), now, handings)
    judged = judge(facts, services.store.catalogue(), history)
    return {
        "tenant": tenant,
        "at": iso(int(now)),
        "organization": found.organization_of(tenant, services.settings.common.organization_id),
        "declared": declared is not None,
        "declaration_problem": problem,
        **_asked(asked),
        "limits": None if limits is None else _shown(limits),
        "month_usd": None if facts.days is None else str(sum(month_days(facts.days, today(now)).values(), Decimal(0))),
        "handovers": shown(remembered.handovers),
        **_judged(judged),
    }


def _handovers(found: Roster, asked: Asked, services: Services) -> tuple[Handing, ...] | None:
    """Also of a hand-over whose turn it is not."""
    if (one := asked.recorded) is None:
        return asked.not_looked(services.now())
    common = services.settings.common
    told: dict[str, tuple[Handing, ...]] = {}
    for organization in found.organizations(common.cell, common.organization_id):
        told |= read_some_handovers(organization, {one.tenant: one}, {}, services)
    return told.get(one.tenant) or one.not_looked(services.now())


def _limits(found: Roster, state: State, services: Services) -> Limits | None:
    common = services.settings.common
    for organization in found.organizations(common.cell, common.organization_id):
        told = read_some_limits(organization, found.declared, state.tenants, {}, services)
        return next(iter(told.values()), None)
    return None


def _asked(asked: Asked) -> dict[str, Any]:
    secret, key = asked.secret, asked.held
    return {
        "asked_with": None if asked.listing is None else "token" if asked.identity else "key",
        "secret": "none" if secret is None else "deleting" if secret.deleting else "there",
        "key": None
        if key is None
        else {
            "version": key.version,
            "minted_at": _iso(key.minted_at),
            "expires_at": _iso(key.expires_at),
            "owned_by_person": key.owned_by_person,
        },
        "list": None
        if asked.listing is None
        else {**_answer(asked.listing.error), "models": sorted(asked.listing.models)},
        "call": None if asked.probe is None else {**_answer(asked.probe.error), "model": asked.probe.model},
    }


def _answer(error: OpenAIError | None) -> dict[str, Any]:
    """`cause` is a word of `causes.Cause`. `said` is OpenAI's status and code, None where it accepted: its message is
    left out, since it quotes the end of the key."""
    if error is None:
        return {"cause": cause(None).value, "said": None}
    said = "no answer" if error.status is None else f"{error.status} {error.code or error.type or ''}".strip()
    return {"cause": cause(error).value, "said": redact(said)}


def _shown(limits: Limits) -> dict[str, Any]:
    return {
        "spend_limit_cents": limits.spend_limit_cents,
        "models": None if limits.models is None else sorted(limits.models),
        "rate_limits": {
            model: [one.requests_per_minute, one.tokens_per_minute] for model, one in limits.rate_limits.items()
        },
    }


def _judged(judged: Judgement) -> dict[str, Any]:
    findings = [
        {"kind": one.kind, "subject": one.subject, "stage": one.stage, "values": dict(one.values)}
        for one in judged.findings
    ]
    return {"findings": findings, "unknown": sorted(judged.unknown)}


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else iso(int(seconds))
