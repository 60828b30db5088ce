"""Facts for the decisions of the health function, with everything well unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from functions.health.facts import Catalogue, Facts, Limits, Listing, SecretFacts
from functions.health.history import History
from functions.health.judge import judge
from functions.health.trouble import Judgement
from functions.shared.openai_http import OpenAIError
from myflux_keys.declaration import Budget, Declaration

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
MODEL = "gpt-5.4-mini"


def declaration(tenant: str = "acme", **changes: Any) -> Declaration:
    base = Declaration(tenant, "local", "Acme Travel", "CR", "managed", (MODEL,), budget=Budget(200, hard=True))
    return replace(base, **changes)


def refused(status: int | None, code: str | None = None, kind: str | None = None, message: str = "No.") -> OpenAIError:
    """An answer of OpenAI's own; with `status` None no answer at all."""
    return OpenAIError(
        "POST /responses",
        message,
        maybe_applied=False,
        status=status,
        code=code,
        type=kind,
        explained=status is not None,
    )


def money(code: str | None) -> OpenAIError:
    return refused(429, code, "insufficient_quota")


def facts(**changes: Any) -> Facts:
    base = Facts(
        NOW,
        "acme",
        declaration(),
        SecretFacts(expires_at=NOW + 20 * 86_400),
        listing=Listing(models={MODEL: None}),
        days={date(2026, 11, day): Decimal(1) for day in range(1, 20)},
        limits=Limits(20_000, frozenset({MODEL}), {}),
    )
    return replace(base, **changes)


def judged(catalogue: Catalogue | None = None, before: History | None = None, **changes: Any) -> Judgement:
    return judge(facts(**changes), catalogue or Catalogue(frozenset({"CR"})), before or History())


def kinds(judgement: Judgement) -> list[str]:
    return [finding.kind for finding in judgement.findings]
