"""What a tenant's month costs at a load that is given, and whether its limits and budget hold.

Owns the arithmetic and the rule of thumb for text. Pure. Leaves out the prices (`ops.prices`) and printing. Each of the
tenant's models is reckoned as if it answered every call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from ops import prices
from ops.prices import Call, NoPrice, Processing
from ops.selection import files_of, one_tenant
from tenancy import Tenant
from tenancy.aws_prices import KEY_MONTH, SECRET_MONTH

DAYS: Final = 30
CHARACTERS_A_TOKEN: Final = 4
WORDS_A_TOKEN: Final = Decimal("0.75")
"""OpenAI's rule of thumb for English: https://help.openai.com/en/articles/4936856"""


@dataclass(frozen=True)
class Load:
    """So many equal calls a day, spread evenly over `busy_hours` of it. `day_limit`: what OpenAI allows a day, which no
    file has: requests, or the tokens sent where the calls are batches."""

    calls_a_day: int
    call: Call
    processing: Processing = "standard"
    busy_hours: Decimal = Decimal(10)
    day_limit: int | None = None


What = Literal["requests a minute", "tokens a minute", "requests a day", "tokens sent in batches a day"]
"""What OpenAI limits by model: https://developers.openai.com/api/docs/guides/rate-limits"""


@dataclass(frozen=True)
class Need:
    """What one limit must allow. `limit` None: it is not known here."""

    what: What | Literal["US dollars a month"]
    needed: Decimal
    limit: int | None

    @property
    def holds(self) -> bool | None:
        return None if self.limit is None else self.needed <= self.limit


@dataclass(frozen=True)
class ModelMonth:
    """`usd` is before tax; None where there is no price, with `remark` saying why. `priced_as` is another name than
    `model` where a snapshot has its family's price."""

    model: str
    usd: Decimal | None
    priced_as: str
    remark: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Estimate:
    """`models` in the file's order: the first is the default. `secrets` is how many the tenant has: none where it is
    federated, two with an admin key of the customer's. `dedicated`: it has a KMS key of its own.
    `prices_as_of` is None where no model has a dated price."""

    tenant: str
    load: Load
    first: date
    models: tuple[ModelMonth, ...]
    secrets: int
    dedicated: bool
    budget: Need | None
    hard: bool
    prices_as_of: date | None

    @property
    def aws_usd(self) -> Decimal:
        """For the secrets, and for the tenant's own KMS key."""
        return self.secrets * SECRET_MONTH + (KEY_MONTH if self.dedicated else 0)

    @property
    def complete(self) -> bool:
        return all(one.usd is not None for one in self.models)

    @property
    def old(self) -> bool:
        return prices.are_old(self.prices_as_of, self.first)


def estimate(tenant: Tenant, load: Load, first: date) -> Estimate:
    """The DAYS from `first` on, each at the price of its day."""
    months = tuple(_month(tenant, model, load, first) for model in tenant.models)
    priced = [one.model for one in months if one.usd is not None]
    return Estimate(
        tenant=tenant.tenant,
        load=load,
        first=first,
        models=months,
        secrets=tenant.has_key + (tenant.organization_id is not None),
        dedicated=tenant.isolation == "dedicated",
        budget=_budget(tenant, months[0]),
        hard=tenant.budget is not None and tenant.budget.hard,
        prices_as_of=prices.as_of(priced) if priced else None,
    )


def estimate_file(fleet: Path, slug: str, load: Load, first: date) -> Estimate:
    """Of the tenant in `fleet`. Raises OperationError and TenancyError."""
    return estimate(one_tenant(files_of(fleet, [slug]), slug), load, first)


def tokens_of(text: str) -> int:
    """By the rule of thumb: the larger of what its characters and its words give."""
    by_characters = Decimal(len(text)) / CHARACTERS_A_TOKEN
    by_words = len(text.split()) / WORDS_A_TOKEN
    return math.ceil(max(by_characters, by_words))


def _month(tenant: Tenant, model: str, load: Load, first: date) -> ModelMonth:
    needs = _needs(tenant, model, load)
    try:
        days = (first + timedelta(days=day) for day in range(DAYS))
        a_call = sum((prices.cost(model, load.call, day, load.processing) for day in days), Decimal(0))
    except NoPrice as error:
        return ModelMonth(model, None, model, str(error), needs)
    family = prices.find(model).id
    remark = "" if family == model else f"priced as {family}"
    return ModelMonth(model, a_call * load.calls_a_day, family, remark, needs)


def _needs(tenant: Tenant, model: str, load: Load) -> tuple[Need, ...]:
    """OpenAI counts the tokens of question and answer, cached ones too. Batches use up none of these limits, but one of
    their own, of the tokens sent: https://developers.openai.com/api/docs/guides/batch"""
    if load.processing == "batch":
        return (Need("tokens sent in batches a day", Decimal(load.calls_a_day) * load.call.input, load.day_limit),)
    declared = tenant.rate_limits.get(model)
    a_minute = load.calls_a_day / (load.busy_hours * 60)
    return (
        Need("requests a minute", a_minute, declared.requests_per_minute if declared else None),
        Need(
            "tokens a minute",
            a_minute * (load.call.input + load.call.output),
            declared.tokens_per_minute if declared else None,
        ),
        Need("requests a day", Decimal(load.calls_a_day), load.day_limit),
    )


def _budget(tenant: Tenant, default: ModelMonth) -> Need | None:
    """None without a budget, or without a price of the default model."""
    if tenant.budget is None or default.usd is None:
        return None
    return Need("US dollars a month", default.usd, tenant.budget.monthly_usd)
