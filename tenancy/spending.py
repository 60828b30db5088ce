"""What a managed tenant may use and spend at OpenAI.

Owns the shapes of rate limits and budget. Leaves out setting them, which the provisioner function does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from tenancy.fields import Email, Flag, Model, Unique, Whole, refuse
from tenancy.problems import Refusal

MOST: Final = 1_000_000_000
"""No limit of OpenAI's comes near: a larger number is a slip of the hand."""


class RateLimit(Model):
    """The project's limits for one model. OpenAI answers 429 above them."""

    requests_per_minute: Annotated[Whole, Field(ge=1, le=MOST, description="Requests a minute.", examples=[500])]
    tokens_per_minute: Annotated[Whole, Field(ge=1, le=MOST, description="Tokens a minute.", examples=[200000])]


class Budget(Model):
    """What the tenant's project may spend in a calendar month, and who hears of it."""

    monthly_usd: Annotated[
        Whole,
        Field(
            ge=1,
            le=1_000_000,
            description="Whole US dollars a month, so that every alert is in whole cents, OpenAI's unit.",
            examples=[200],
        ),
    ]
    hard: Annotated[
        Flag, Field(description="true: OpenAI blocks the project's calls once the budget is spent. false: alerts only.")
    ] = True
    alert_percent: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=100)], ...],
        Field(
            description="Shares of the budget, in percent from 1 to 100 and rising, at which an e-mail goes out.",
            examples=[[50, 80, 100]],
        ),
    ] = ()
    emails: Annotated[
        tuple[Email, ...],
        Unique,
        Field(
            description="Who receives the alerts.",
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
            reason = "Shares rise from alert to alert; this one does not."
            yield Refusal(
                "alerts-unordered", reason, "write each share once, in rising order.", ("alert_percent", place)
            )
    if shares and not budget.emails:
        reason = "There are alerts, and nobody to receive them."
        yield Refusal("alerts-without-emails", reason, "add emails: [ops@acme.example].", ("alert_percent",))
    if budget.emails and not shares:
        reason = "There are recipients, and no alert for them."
        yield Refusal("emails-without-alerts", reason, "add alert_percent: [50, 80, 100].", ("emails",))
    if not budget.hard and not shares:
        reason = "This budget neither blocks calls nor tells anybody: it would do nothing."
        yield Refusal("budget-without-effect", reason, "set hard: true, or add alert_percent and emails.", ("hard",))
