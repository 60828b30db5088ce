"""Each kind of trouble, from the facts to the message: found within one cycle, in the right words, with its owner, in
one message, and over when it is healed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest

from functions.health.facts import Catalogue, Limits, Listing, Probe, SecretFacts
from functions.health.handover_facts import Recorded
from functions.health.history import Change, History, advance
from functions.health.judge import judge
from functions.health.lift import judge_silence, lift
from functions.health.messages import LANGUAGES, Message, message
from functions.health.notices import Scope, tell
from functions.health.trouble import CELL, KINDS, ORGANIZATION, TENANT, Finding
from functions.shared.handover import Handover, OldKey
from functions.shared.old_keys import Versions
from myflux_keys.declaration import Budget, Declaration
from myflux_keys.version_labels import CURRENT, PREVIOUS
from tests.health.given import MODEL, NOW, declaration, facts, money, refused

HOUR: Final = 3600.0
ORG: Final = "org-local"
OFFERED: Final = Catalogue(frozenset({"CR"}))


@dataclass(frozen=True)
class Case:
    """`bad` changes the facts of a tenant that is well, and `well` those when it is healed. `en` and `es` are part of
    the message. `owner` is a word of `WORDS`, where the organization is ours."""

    bad: Mapping[str, Any]
    en: str
    es: str
    owner: str = "us"
    catalogue: Catalogue = OFFERED
    well: Mapping[str, Any] = field(default_factory=dict[str, Any])


def call(code: str) -> dict[str, Any]:
    return {"probe": Probe(MODEL, money(code))}


def answer(status: int, code: str | None = None, message: str = "No.") -> dict[str, Any]:
    return {"probe": Probe(MODEL, refused(status, code, message=message))}


def listed(**models: str | None) -> dict[str, Any]:
    return {"listing": Listing(models=models), "shutdowns": models}


def with_budget(usd: int) -> dict[str, Any]:
    """Declared, and set at OpenAI."""
    budget = declaration(budget=Budget(usd, hard=True))
    return {"declaration": budget, "limits": Limits(usd * 100, frozenset({MODEL}), {})}


def handing(*, rotated: float = 1, confirmed: bool = False, used: bool = False) -> dict[str, Any]:
    """Of a key that was replaced so many days ago, and confirmed half a day after it."""
    at = NOW - rotated * 86_400
    versions = Versions({"v2": {CURRENT}, "v1": {PREVIOUS}}, {"v1": at - 1, "v2": at})
    record = Handover("acme", "cinnox", "key_2", "v2", int(at) + 43_200, int(at) - 1, "ann") if confirmed else None
    aws = Recorded("acme", {"cinnox": record}, versions, at + 7 * 86_400, readable=True)
    old = OldKey("key_1", at, NOW + 3600, NOW - 60 if used else None)
    return {"handovers": aws.handings([old] if rotated <= 7 else [], NOW)}


DAYS: Final = {date(2026, 11, day): Decimal(10) for day in range(1, 19)}
CASES: Final = {
    "key_refused": Case({"listing": Listing(refused(401, "invalid_api_key"))}, "refuses the key", "rechaza la clave"),
    "balance_gone": Case(
        call("credit_balance_exhausted"), "credit of OpenAI organization org-local", "agotó el crédito"
    ),
    "organization_spend_limit": Case(
        call("organization_spend_limit_exceeded"), "spend limit that its owner set", "límite de gasto que fijó"
    ),
    "organization_usage_limit": Case(
        call("organization_usage_limit_exceeded"), "usage limit that OpenAI approved", "límite de uso que aprobó OpenAI"
    ),
    "quota_unnamed": Case(call("insufficient_quota"), "does not say which", "no dice cuál"),
    "project_spend_limit": Case(
        call("project_spend_limit_exceeded"), "project reached its spend limit", "proyecto alcanzó su límite de gasto"
    ),
    "limit_raised_waiting": Case(
        {**call("project_spend_limit_exceeded"), "limit_raised_at": NOW}, "not applied it", "aún no lo aplica", "openai"
    ),
    "rate_limited": Case(answer(429, "rate_limit_exceeded"), "met the rate limit", "límite de frecuencia"),
    "country_refused": Case(
        answer(403, "unsupported_country_region_territory"), "from this country", "desde este país"
    ),
    "address_refused": Case(
        answer(401, message="IP not authorized: not in the allowlist."), "IP allowlist", "direcciones IP permitidas"
    ),
    "tier_refused": Case(
        answer(400, message="The requested service tier is not allowed."), "service tier", "nivel de servicio"
    ),
    "scopes_missing": Case(
        answer(401, message="Missing scopes: model.request."), "lacks a permission", "le falta un permiso"
    ),
    "models_hidden": Case(
        {"listing": Listing(refused(403, message="Missing scopes: api.model.read"))},
        "may not list models",
        "no puede listar modelos",
    ),
    "model_not_allowed": Case(
        answer(404, "model_not_found"), f"offers the model {MODEL}, but not to", f"ofrece el modelo {MODEL}, pero no"
    ),
    "model_retiring": Case(
        listed(**{MODEL: "2026-12-11"}),
        f"shuts the model {MODEL} down on 2026-12-11 (days left: 21)",
        f"retira el modelo {MODEL} el 2026-12-11 (días restantes: 21)",
    ),
    "model_retired": Case(
        {"listing": Listing(), "shutdowns": {MODEL: "2026-11-20"}}, "has shut the model", "retiró el modelo"
    ),
    "openai_silent": Case(
        {"listing": Listing(refused(None))}, "does not answer: 1 of 1", "no responde: 1 de 1", "openai"
    ),
    "budget_reached": Case(
        {"days": {date(2026, 11, 3): Decimal(160)}},
        "80 % of the month's budget is spent",
        "gastó el 80 % del presupuesto",
        well={"days": {date(2026, 11, 3): Decimal(160)}, **with_budget(500)},
    ),
    "budget_forecast": Case(
        {"days": DAYS, **with_budget(250)}, "month will end at 300.00 to 300.00", "terminará entre 300.00 y 300.00"
    ),
    "limit_drift": Case(
        {"limits": Limits(None, frozenset({MODEL}), {})},
        "another spend limit than the tenant's file: none there, 200.00 USD in the file",
        "un límite de gasto distinto del archivo del inquilino: ninguno allí, 200.00 USD en el archivo",
    ),
    "key_expiring": Case(
        {"secret": SecretFacts(expires_at=NOW + 5 * HOUR)}, "expires at 2026-11-20T17:00:00Z", "horas restantes: 5"
    ),
    "rotation_late": Case({"secret": SecretFacts(rotation_late=True)}, "rotation is late", "rotación está atrasada"),
    "person_owned_key": Case(
        {"secret": SecretFacts(owned_by_person=True)}, "belongs to a person", "pertenece a una persona"
    ),
    "token_refused": Case(
        {"listing": Listing(refused(401, "invalid_api_key")), "identity": True},
        "AWS or OpenAI refuses its token",
        "AWS u OpenAI rechaza su token",
    ),
    "secret_left": Case(
        {"declaration": declaration(credential="federated"), "identity": True},
        "needs no key any more, but its secret is still there",
        "ya no necesita una clave, pero su secreto",
    ),
    "identity_missing": Case(
        {"declaration": declaration(credential="federated"), "secret": None},
        "no identity to get tokens",
        "ni identidad para",
    ),
    "secret_missing": Case({"secret": None}, "has no secret", "no tiene secreto"),
    "secret_deleting": Case(
        {"secret": SecretFacts(deleting=True)}, "deletion of its secret", "eliminación de su secreto"
    ),
    "undeclared": Case({"declaration": None}, "not declared", "no está declarado"),
    "handover_due": Case(
        handing(), "cinnox has not got the tenant's current key. The old one", "cinnox aún no tiene la clave actual"
    ),
    "handover_doubted": Case(
        handing(confirmed=True, used=True), "but the old one is in use since", "pero la anterior se sigue usando"
    ),
    "handover_last_day": Case(handing(rotated=6.5), "ends within a day", "termina en menos de un día"),
    "handover_missed": Case(handing(rotated=8), "the old key has ended", "la clave anterior terminó"),
    "country_dropped": Case(
        {}, "no longer offers its API in CR", "ya no ofrece su API en CR", "us", Catalogue(frozenset())
    ),
}
QUIET: Final = {name for name, kind in KINDS.items() if kind.quiet}


def test_each_kind_has_a_case() -> None:
    assert CASES.keys() == KINDS.keys()


class Watched:
    """One tenant over several cycles, from its facts to the messages."""

    def __init__(self, language: str, **declared: Any) -> None:
        self.language, self.declared = language, declaration(**declared)
        self.histories: dict[Scope, History] = {}
        self.together: Mapping[tuple[str, str], float] = {}
        self.now = NOW

    def cycle(self, catalogue: Catalogue, **changes: Any) -> list[Message]:
        seen = facts(**{"declaration": self.declared, **changes})
        tenant = Scope(TENANT, "acme")
        judged = judge(seen, catalogue, self.histories.get(tenant, History()))
        organization = self.declared.organization_id if self.declared.source == "customer" else ORG
        lifted = lift({"acme": judged}, {"acme": organization})
        by_scope = {Scope(TENANT, one): found for one, found in lifted.tenants.items()}
        by_scope |= {Scope(ORGANIZATION, one): found for one, found in lifted.organizations.items()}
        by_scope[Scope(CELL, "local")] = judge_silence({"acme": seen.listing} if seen.listing else {})
        changed: dict[Scope, Change] = {}
        for scope, found in by_scope.items():
            changed[scope] = advance(self.histories.get(scope, History()), found, self.now)
            self.histories[scope] = changed[scope].history
        told = tell(changed, self.histories, self.together)
        self.histories, self.together = dict(told.histories), told.together
        known: dict[str, Declaration] = {"acme": self.declared}
        self.now += HOUR
        return [message(one, "local", self.language, known, self.now) for one in told.notices]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CASES)
def test_trouble_is_found_in_one_cycle_told_once_and_told_to_be_over(kind: str, language: str) -> None:
    case, words, watched = CASES[kind], LANGUAGES[language].WORDS, Watched(language)
    well: dict[str, Any] = {"probe": Probe(MODEL)}
    assert watched.cycle(OFFERED, **well) == []

    told = watched.cycle(case.catalogue, **case.bad)
    if KINDS[kind].lasting:
        assert told == [], "one occurrence is normal"
        told = watched.cycle(case.catalogue, **case.bad)
    if kind in QUIET:
        assert (told, {name for name, _ in watched.histories[Scope(TENANT, "acme")].open}) == ([], {kind})
        return
    [start] = told
    assert start.body.startswith(f"{words['started']}: ")
    assert getattr(case, language) in start.body
    assert f"{words['whose']}: {words[case.owner]}\n" in start.body
    assert watched.cycle(case.catalogue, **case.bad) == [], "told once, however long it lasts"

    well |= case.well
    ended = watched.cycle(OFFERED, **well)
    if KINDS[kind].lasting:
        assert ended == [], "one good answer may be luck"
        ended = watched.cycle(OFFERED, **well)
    [end] = ended
    assert end.body.startswith(f"{words['ended']}: ")
    assert end.thread == start.thread
    assert watched.cycle(OFFERED, **well) == []


OF_THE_CUSTOMER: Final = {
    *("key_refused", "balance_gone", "organization_spend_limit", "organization_usage_limit", "quota_unnamed"),
    *("project_spend_limit", "rate_limited", "address_refused", "tier_refused", "scopes_missing", "models_hidden"),
    *("model_not_allowed", "key_expiring", "person_owned_key"),
}
"""With a key of the customer's own, which shows neither costs nor limits. The models that we ask for, and from where,
are our choice."""


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind not in {*QUIET, "undeclared", "limit_drift"}])
def test_with_a_customers_own_key_each_trouble_has_the_right_owner(kind: str) -> None:
    case = CASES[kind]
    watched = Watched("en", source="customer", minted=False)
    told = [one for _ in range(2) for one in watched.cycle(case.catalogue, **case.bad)]
    [start] = told
    owner = "customer" if kind in OF_THE_CUSTOMER else case.owner
    assert f"Whose: {LANGUAGES['en'].WORDS[owner]}\n" in start.body
    asks = "ask the customer" in start.body
    assert asks == (kind in OF_THE_CUSTOMER)


def test_a_finding_of_each_kind_can_be_compared_without_its_values() -> None:
    """A restated number is no new trouble."""
    for kind in KINDS:
        assert Finding(kind, values={"a": "1"}) == Finding(kind, values={"a": "2"})
