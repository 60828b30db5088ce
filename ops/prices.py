"""What OpenAI asks for a call, from the table of the package genai-prices, which needs no network.

Owns the lookup. A model that the table does not have, or has no price of the asked kind for, gets none: never another
model's, and never the standard price for a discount that the model does not have. A dated snapshot is priced as its
family, and the answer says so. Loading the table takes a fifth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Final, Literal

from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, TieredPrices

from functions.health.retirement import OLD_DAYS

Processing = Literal["standard", "flex", "batch"]
"""How OpenAI works on a call: flex and batch are slower, and cost less where a model offers them."""
SOURCE: Final = f"genai-prices {version('genai-prices')}"

_PROVIDER: Final = "openai"
_CONTEXTS: Final[dict[Processing, dict[str, str]]] = {
    "standard": {},
    "flex": {"service_tier": "flex"},
    "batch": {"processing": "batch"},
}


@dataclass(frozen=True)
class Call:
    """Tokens of one call. `cached` are a part of `input`, and reasoning tokens a part of `output`, as OpenAI counts
    them."""

    input: int
    output: int
    cached: int = 0


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens, for the shortest prompts. `model` is whose price it is; None where the table has
    no price of that kind. `context` is in tokens."""

    model: str
    input: Decimal | None
    cached: Decimal | None
    output: Decimal | None
    context: int | None


class NoPrice(LookupError):
    """The table has no price. The text says of what."""


def openai() -> Provider:
    return next(one for one in get_snapshot().providers if one.id == _PROVIDER)


def find(model: str) -> ModelInfo:
    """Raises NoPrice."""
    found = openai().find_model(model)
    if found is None:
        raise NoPrice(f"{SOURCE} has no price of {model}")
    return found


def price(model: str, day: date) -> Price:
    """Standard processing. Raises NoPrice."""
    found = find(model)
    held = found.get_prices(_noon(day))
    return Price(
        found.id,
        _lowest(held.input_mtok),
        _lowest(held.cache_read_mtok),
        _lowest(held.output_mtok),
        found.context_window,
    )


def cost(model: str, call: Call, day: date, processing: Processing = "standard") -> Decimal:
    """US dollars of one call on `day`, before tax. Raises NoPrice."""
    found, context = find(model), _CONTEXTS[processing]
    if context and not _offers(found, context, day):
        raise NoPrice(f"{SOURCE} has no {processing} price of {model}")
    held = found.get_prices(_noon(day))
    for tokens, kind in ((call.input, "input"), (call.output, "output")):
        if tokens and getattr(held, f"{kind}_mtok") is None:
            raise NoPrice(f"{SOURCE} has no price of {model}'s {kind} tokens")
    usage = Usage(input_tokens=call.input, cache_read_tokens=call.cached, output_tokens=call.output)
    reckoned = calc_price(
        usage, model, provider_id=_PROVIDER, genai_request_timestamp=_noon(day), price_context=context or None
    )
    return reckoned.total_price


@lru_cache(maxsize=4096)
def _rates(model: str, day: date, processing: Processing) -> tuple[Decimal, Decimal, Decimal | None]:
    """Of a token: sent, read from the cache, answered; None where the table has no price of an answer, as of an
    embedding. From a call that is shorter than any length from which on a price is higher."""
    thousand = Call(1000, 0), Call(1000, 0, 1000)
    sent, cached = (cost(model, call, day, processing) / 1000 for call in thousand)
    try:
        return sent, cached, cost(model, Call(0, 1000), day, processing) / 1000
    except NoPrice:
        return sent, cached, None


def cost_of_many(model: str, tokens: Call, day: date, processing: Processing = "standard") -> Decimal:
    """US dollars of many calls on `day` whose tokens are summed, before tax, at the prices of the shortest prompts: how
    long each was is not known. Raises NoPrice."""
    sent, cached, answered = _rates(model, day, processing)
    if tokens.output and answered is None:
        raise NoPrice(f"{SOURCE} has no price of {model}'s output tokens")
    return sent * (tokens.input - tokens.cached) + cached * tokens.cached + (answered or 0) * tokens.output


def as_of(models: Iterable[str]) -> date | None:
    """The day since when nobody has read one of these models' prices on OpenAI's page. The package has the days in its
    comments, and its own release is later. None where it has no day of any of them."""
    known = (found for model in models if (found := openai().find_model(model)) is not None)
    days = [re.findall(r"verified on (\d{4}-\d\d-\d\d)", model.price_comments or "") for model in known]
    return min((date.fromisoformat(max(found)) for found in days if found), default=None)


def day_of(models: Iterable[str]) -> date:
    """`as_of`, for pages that are written from prices. Raises NoPrice where no day is known."""
    models = list(models)
    day = as_of(models)
    if day is None:
        raise NoPrice(f"{SOURCE} does not say when it read the prices of {', '.join(models)}")
    return day


def are_old(as_of: date | None, today: date) -> bool:
    """A day that is not known is no recent one."""
    return as_of is None or (today - as_of).days > OLD_DAYS


def page() -> str:
    """Where the prices were read."""
    return (openai().pricing_urls or [""])[0]


def _offers(model: ModelInfo, context: dict[str, str], day: date) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(_noon(day)))
        for variant in model.price_variants or ()
    )


def _lowest(price: Decimal | TieredPrices | None) -> Decimal | None:
    return price.base if isinstance(price, TieredPrices) else price


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
