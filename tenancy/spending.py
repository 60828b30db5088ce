"""A tenant's rate limits and budget at OpenAI, which the provisioner function sets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from tenancy.fields import Email, Flag, Model, Unique, Whole, refuse
from tenancy.problems import Refusal

MOST: Final = 1_000_000_000
"""Far above OpenAI's limits: a larger number is a typing error."""


class RateLimit(Model):
    """The project's limits for one model. OpenAI answers 429 above them."""

    requests_per_minute: Annotated[Whole, Field(ge=1, le=MOST, description="Requests per minute.", examples=[500])]
    tokens_per_minute: Annotated[Whole, Field(ge=1, le=MOST, description="Tokens per minute.", examples=[200000])]


class Budget(Model):
    """What the tenant's project may spend in a calendar month, and who receives alerts."""

    monthly_usd: Annotated[
        Whole,
        Field(
            ge=1,
            le=1_000_000,
            description="US dollars per month, a whole number, so that every alert is in whole cents, OpenAI's unit.",
            examples=[200],
        ),
    ]
    hard: Annotated[
        Flag, Field(description="true: OpenAI blocks the project's calls once the budget is spent. false: alerts only.")
    ] = True
    alert_percent: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=100)], ...],
        Field(
            description="Percentages of the budget at which an alert is sent by e-mail: 1 to 100, in rising order.",
            examples=[[50, 80, 100]],
        ),
    ] = ()
    emails: Annotated[
        tuple[Email, ...],
        Unique,
        Field(
            description="E-mail addresses that receive the alerts.",
            examples=[["ops@acme.example"]],
            json_schema_extra={"uniqueItems": True},
        ),
    ] = ()

    @model_validator(mode="after")
    def _rules(self) -> Self:
        refuse(_budget_refusals(self))
        return self


def _budget_refusals(budget: Budget) -> Iterator[Refusal]:
    shares = budget.alert_percent
    for place, (before, share) in enumerate(pairwise(shares), 1):
        if share <= before:
            reason = f"Alerts must be in rising order, got {share} after {before}."
            yield Refusal(
                "alerts-unordered", reason, "write each percentage once, in rising order.", ("alert_percent", place)
            )
    if shares and not budget.emails:
        reason = "The budget has alert_percent but no emails: nobody would receive the alerts."
        yield Refusal("alerts-without-emails", reason, "add emails: [ops@acme.example].", ("alert_percent",))
    if budget.emails and not shares:
        reason = "The budget has emails but no alert_percent: no alert would be sent."
        yield Refusal("emails-without-alerts", reason, "add alert_percent: [50, 80, 100].", ("emails",))
    if not budget.hard and not shares:
        reason = "The budget would have no effect: it neither blocks calls nor sends alerts."
        yield Refusal("budget-without-effect", reason, "set hard: true, or add alert_percent and emails.", ("hard",))
