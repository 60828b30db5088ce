"""The kinds of trouble, and the records of what a decision found.

Owns one row a kind. Its name is that of its texts in `english.py` and `spanish.py`. Leaves out deciding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CELL: Final = "cell"
ORGANIZATION: Final = "organization"
TENANT: Final = "tenant"


@dataclass(frozen=True)
class Kind:
    """`metric` counts its tenants or organizations in CloudWatch. `scope`: whose trouble it is. `folds`: tenants that
    have it have one cause, so that many of them are one message."""

    metric: str
    scope: str = TENANT
    folds: bool = False
    lasting: bool = False
    """One occurrence is normal, so it starts when two of three cycles had it, and ends when two in a row had not."""
    quiet: bool = False
    """A state that is shown, without a message."""
    family: str = ""
    """Kinds of one family are one trouble that changes: it is over when none of them is left."""
    reminds: bool = False
    """Each day that it lasts is told."""


KINDS: Final[Mapping[str, Kind]] = {
    "key_refused": Kind("KeyRefused", folds=True),
    "token_refused": Kind("KeyRefused", folds=True),
    "balance_gone": Kind("OutOfMoney", ORGANIZATION),
    "organization_spend_limit": Kind("OutOfMoney", ORGANIZATION),
    "organization_usage_limit": Kind("OutOfMoney", ORGANIZATION),
    "quota_unnamed": Kind("OutOfMoney", folds=True),
    "project_spend_limit": Kind("OutOfMoney"),
    "limit_raised_waiting": Kind("OutOfMoney", quiet=True),
    "rate_limited": Kind("RateLimited", folds=True, lasting=True),
    "country_refused": Kind("CallsRefused", folds=True),
    "address_refused": Kind("CallsRefused", folds=True),
    "tier_refused": Kind("CallsRefused", folds=True),
    "scopes_missing": Kind("CallsRefused", folds=True),
    "models_hidden": Kind("ModelsHidden", folds=True),
    "model_not_allowed": Kind("CallsRefused", folds=True),
    "model_retiring": Kind("ModelsRetiring", folds=True),
    "model_retired": Kind("ModelsRetired", folds=True),
    "openai_silent": Kind("OpenAISilent", CELL, lasting=True),
    "budget_reached": Kind("BudgetReached"),
    "budget_forecast": Kind("BudgetForecast"),
    "limit_drift": Kind("LimitsDiffer", folds=True),
    "key_expiring": Kind("KeysExpiring", folds=True),
    "rotation_late": Kind("RotationsLate", folds=True),
    "person_owned_key": Kind("KeysOfPersons"),
    "secret_missing": Kind("Undeclared", folds=True),
    "secret_deleting": Kind("Undeclared"),
    "secret_left": Kind("Undeclared", lasting=True),
    "identity_missing": Kind("Undeclared", folds=True),
    "undeclared": Kind("Undeclared", folds=True),
    "handover_due": Kind("HandoversDue", family="handover", reminds=True),
    "handover_doubted": Kind("HandoversDue", family="handover", reminds=True),
    "handover_last_day": Kind("HandoversDue", family="handover"),
    "handover_missed": Kind("HandoversDue", family="handover"),
    "country_dropped": Kind("CountriesDropped", folds=True),
}


@dataclass(frozen=True)
class Finding:
    """`subject` tells apart several of one kind, such as two models. `stage` rises as it gets worse, and each new stage
    is told once. `values` are for the text: names, dates and amounts, never a key."""

    kind: str
    subject: str = ""
    stage: int = 0
    values: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)

    @property
    def slot(self) -> tuple[str, str]:
        return self.kind, self.subject


@dataclass(frozen=True)
class Judgement:
    """What is wrong, and the kinds that could not be judged: trouble of those neither starts nor ends."""

    findings: tuple[Finding, ...] = ()
    unknown: frozenset[str] = frozenset()

    def __add__(self, other: Judgement) -> Judgement:
        return Judgement(self.findings + other.findings, self.unknown | other.unknown)
