"""The tenant's secret and key, or its identity, beside its declaration: what is missing, ends soon, or is a person's.

Owns the comparison of one tenant's declaration with its secret, and the hours to the key's expiry. Leaves out
OpenAI's projects, which every sweep compares with the secrets (`functions/sweep/orphans.py`), and the dates by which a
rotation is late (`functions/sweep/due.py`).
"""

from __future__ import annotations

from typing import Final

from functions.health.facts import Catalogue, Facts
from functions.health.trouble import Finding, Judgement
from myflux_keys.key_life import MARGIN_HOURS
from myflux_keys.payload import iso

STAGES: Final = ((0, 3), (24, 2), (MARGIN_HOURS, 1))
"""Hours left at most, and the stage. A key that rotates in time never comes into the margin."""


def judge_presence(facts: Facts) -> Judgement:
    there = facts.secret is not None and not facts.secret.deleting
    if facts.declaration is None:
        return Judgement((Finding("undeclared"),) if there or facts.identity else ())
    if not facts.declaration.has_key:
        missing = facts.declaration.enabled and not facts.identity
        left = (Finding("secret_left"),) if there else ()
        return Judgement((*left, *((Finding("identity_missing"),) if missing else ())))
    if facts.secret is None:
        return Judgement((Finding("secret_missing"),))
    return Judgement((Finding("secret_deleting"),) if facts.secret.deleting else ())


def judge_key(facts: Facts) -> Judgement:
    if facts.secret is None or facts.secret.deleting:
        return Judgement()
    findings: list[Finding] = []
    if facts.secret.expires_at is not None:
        hours = (facts.secret.expires_at - facts.now) / 3600
        stage = next((stage for most, stage in STAGES if hours <= most), 0)
        if stage:
            values = {"hours": str(max(int(hours), 0)), "expires": iso(int(facts.secret.expires_at))}
            findings.append(Finding("key_expiring", stage=stage, values=values))
    if facts.secret.rotation_late:
        findings.append(Finding("rotation_late"))
    if facts.secret.owned_by_person:
        findings.append(Finding("person_owned_key"))
    return Judgement(tuple(findings))


def judge_country(facts: Facts, catalogue: Catalogue) -> Judgement:
    if facts.declaration is None or catalogue.countries is None:
        return Judgement(unknown=frozenset({"country_dropped"}))
    country = facts.declaration.country
    dropped = country not in catalogue.countries
    return Judgement((Finding("country_dropped", country, values={"country": country}),) if dropped else ())
