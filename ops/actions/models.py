"""What is known of each model: price, context, end and replacement; for a tenant, its limits and the lines to change.

Pure. Leaves out the prices (`ops.prices`), the lists of models (`tenancy.catalogue`) and printing. OpenAI is
not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from ops import prices
from ops.prices import NoPrice, Price
from ops.selection import files_of, one_tenant
from tenancy import Tenant
from tenancy.catalogue import OFFERED_MODELS, REPLACEMENTS, shutdown
from tenancy.spending import RateLimit

_DATE: Final = re.compile(r"-\d{4}-\d\d-\d\d$")


@dataclass(frozen=True)
class ModelFacts:
    """`price` is None where the table has none, `ends` where no end is announced, `replacement` where none is known."""

    model: str
    price: Price | None
    ends: date | None
    replacement: str | None
    allowed: bool = False
    default: bool = False
    limit: RateLimit | None = None


def facts(model: str, today: date, tenant: Tenant | None = None) -> ModelFacts:
    try:
        price = prices.price(model, today)
    except NoPrice:
        price = None
    end = shutdown(model)
    allowed = tenant is not None and model in tenant.models
    return ModelFacts(
        model=model,
        price=price,
        ends=date.fromisoformat(end) if end else None,
        replacement=REPLACEMENTS.get(model),
        allowed=allowed,
        default=tenant is not None and model == tenant.models[0],
        limit=tenant.rate_limits.get(model) if tenant is not None else None,
    )


def file_of(fleet: Path, slug: str) -> Tenant:
    """Raises OperationError and TenancyError."""
    return one_tenant(files_of(fleet, [slug]), slug)


def offered(today: date) -> list[ModelFacts]:
    """Every model that a tenant's file may name, in the order of the list."""
    return [facts(model, today) for model in OFFERED_MODELS]


def told_apart(found: Iterable[ModelFacts]) -> list[ModelFacts]:
    """Without the dated snapshots of which nothing is known that differs from the model that they are of."""
    by_name = {one.model: one for one in found}
    return [one for one in by_name.values() if not _is_like(one, by_name.get(_DATE.sub("", one.model)))]


def _is_like(one: ModelFacts, other: ModelFacts | None) -> bool:
    return other is not None and one is not other and replace(one, model=other.model) == other


def of_tenant(tenant: Tenant, today: date) -> list[ModelFacts]:
    """Its models, the default first, then the replacements that they need and do not have."""
    return [facts(model, today, tenant) for model in dict.fromkeys([*tenant.models, *_renewed(tenant)])]


def as_of(found: Iterable[ModelFacts]) -> date | None:
    priced = [one.model for one in found if one.price is not None]
    return prices.as_of(priced) if priced else None


def lines(tenant: Tenant) -> str:
    """The lines of the tenant's file with each ending model replaced; empty where none ends, or none is known."""
    changed = _renewed(tenant)
    if changed == list(tenant.models):
        return ""
    limits = {_after(model): limit.model_dump() for model, limit in tenant.rate_limits.items()}
    told: dict[str, Any] = {"models": changed} | ({"rate_limits": limits} if limits else {})
    flow = {name: yaml.safe_dump(told[name], default_flow_style=True, sort_keys=False, width=1000) for name in told}
    return "\n".join(f"{name}: {value.strip()}" for name, value in flow.items())


def _after(model: str) -> str:
    return REPLACEMENTS.get(model, model) if shutdown(model) else model


def _renewed(tenant: Tenant) -> list[str]:
    """Its models with each ending one replaced; two with one replacement become one."""
    return list(dict.fromkeys(map(_after, tenant.models)))
