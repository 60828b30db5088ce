"""The facts about one tenant in one cycle, from which everything is decided.

None always means that a fact is unknown: not asked, not answered, or not visible to us.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from functions.health.handover_facts import Handing
from functions.shared.openai_http import OpenAIError
from myflux_keys.declaration import Declaration, RateLimit

ABSENT: Final = "(absent)"
"""A model's `shutdown_date` is not in the answer at all, which is not the same as null."""


@dataclass(frozen=True)
class Listing:
    """The answer to the free GET /models. `models`: id to OpenAI's `shutdown_date` as sent: a text, None for null, or
    ABSENT."""

    error: OpenAIError | None = None
    models: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])


@dataclass(frozen=True)
class Probe:
    """The answer to one billed call."""

    model: str
    error: OpenAIError | None = None


@dataclass(frozen=True)
class Limits:
    """A project's limits as OpenAI holds them. `spend_limit_cents` None: there is none. `models` None: no allow-list.
    `rate_limits`: only of the models asked for."""

    spend_limit_cents: int | None
    models: frozenset[str] | None
    rate_limits: Mapping[str, RateLimit]


@dataclass(frozen=True)
class SecretFacts:
    """Of the tenant's secret. Times are Unix seconds. `expires_at` is the live key's, None without an expiry."""

    deleting: bool = False
    rotation_late: bool = False
    expires_at: float | None = None
    owned_by_person: bool = False


@dataclass(frozen=True)
class Replacement:
    """What OpenAI names in a model's place. Prices in US dollars per million tokens; None: not known."""

    model: str
    input_usd: Decimal | None = None
    output_usd: Decimal | None = None


@dataclass(frozen=True)
class Catalogue:
    """What the cell's platform knows of OpenAI's offer. `countries` None: unknown. `prices_as_of`: when the
    replacements' prices were last read on OpenAI's page; None if there is no price."""

    countries: frozenset[str] | None = None
    replacements: Mapping[str, Replacement] = field(default_factory=dict[str, Replacement])
    prices_as_of: date | None = None


@dataclass(frozen=True)
class Facts:
    """`days`: US dollars by day (UTC) as OpenAI's costs say, None if costs are not visible. `shutdowns`: every model's
    `shutdown_date` that any tenant's list showed in this cycle. `limit_raised_at`: when this function saw OpenAI's
    spend limit go up. `secret` None: there is none; with `deleting` it is in its deletion window. `handovers`: one for
    each consumer that a person serves; None if nobody asked. `identity`: the tenant has one, so that its calls are
    made with tokens."""

    now: float
    tenant: str
    declaration: Declaration | None
    secret: SecretFacts | None
    listing: Listing | None = None
    probe: Probe | None = None
    days: Mapping[date, Decimal] | None = None
    limits: Limits | None = None
    limit_raised_at: float | None = None
    shutdowns: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    handovers: tuple[Handing, ...] | None = ()
    identity: bool = False
