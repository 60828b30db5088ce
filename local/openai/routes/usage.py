"""Usage of completions and embeddings, and costs, in time buckets, grouped as requested.

Owns `/v1/organization/usage/completions`, `…/usage/embeddings` and `/v1/organization/costs`. Leaves out how a call is
recorded (`answering.py`). Buckets are aligned to their width in UTC, and empty ones are listed too, as OpenAI does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from local.openai import access, errors
from local.openai.call import Call, admin_route
from local.openai.catalogue import MODELS
from local.openai.fields import Query
from local.openai.state import Usage

_DAY: Final = 86_400
_WIDTHS: Final = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}
"""By width: its seconds, the default number of buckets, the largest number of buckets."""
_USAGE_GROUPS: Final = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source")
_EMBEDDING_GROUPS: Final = ("project_id", "user_id", "api_key_id", "model")
_COST_GROUPS: Final = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
_FIXED: Final = {"api_source": "unlabeled"}
"""The emulator has one value, so a request to group by it returns one group."""


def _group_by(query: Query, known: tuple[str, ...]) -> list[str]:
    groups = query.texts("group_by")
    for index, group in enumerate(groups):
        if group not in known:
            listed = ", ".join(f"'{k}'" for k in known)
            raise errors.invalid_value(f"group_by[{index}]", f"'{group}'. Supported values are: {listed}.")
    return groups


def _buckets(
    call: Call,
    query: Query,
    width: int,
    default: int,
    most: int,
    render: Callable[[int, list[Usage]], list[dict[str, Any]]],
    keep: Callable[[Usage], bool],
    delay: int = 0,
) -> dict[str, Any]:
    """`delay`: what happened in the last seconds is not there yet. `render` gets a bucket's start and usages."""
    now = call.at + 1 - delay
    start = query.integer("start_time", minimum=0, maximum=2**40)
    if start is None:
        raise errors.missing_parameter("start_time")
    end = query.integer("end_time", minimum=0, maximum=2**40)
    limit = query.integer("limit", minimum=1, maximum=most) or default
    page = query.text("page")
    query.done()
    if end is not None and end <= start:
        raise errors.invalid_value("end_time", "it must be after 'start_time'.")
    last = min(now, end) if end is not None else now
    first = start - start % width
    if page is not None:
        if not page.removeprefix("page_").isdigit() or (int(page.removeprefix("page_")) - first) % width:
            raise errors.invalid_value("page", f"'{page}' is not a page of this query.")
        first = int(page.removeprefix("page_"))
    starts = list(range(first, last, width))
    shown = starts[:limit]
    inside: dict[int, list[Usage]] = {at: [] for at in shown}
    for usage in call.organization.usage:
        slot = usage.at - usage.at % width
        if slot in inside and start <= usage.at < last and keep(usage):
            inside[slot].append(usage)
    more = len(starts) > limit
    return {
        "object": "page",
        "data": [
            {"object": "bucket", "start_time": at, "end_time": at + width, "results": render(at, inside[at])}
            for at in shown
        ],
        "has_more": more,
        "next_page": f"page_{starts[limit]}" if more else None,
    }


def _grouped(usages: Iterable[Usage], groups: list[str]) -> dict[tuple[Any, ...], list[Usage]]:
    found: dict[tuple[Any, ...], list[Usage]] = {}
    for usage in usages:
        key = tuple(_FIXED[g] if g in _FIXED else getattr(usage, g) for g in groups)
        found.setdefault(key, []).append(usage)
    return found


def _wanted(query: Query, **fields: str) -> Callable[[Usage], bool]:
    chosen = {attribute: set(query.texts(parameter)) for parameter, attribute in fields.items()}
    return lambda usage: all(not values or getattr(usage, name) in values for name, values in chosen.items())


_KEPT: Final = {"project_ids": "project_id", "user_ids": "user_id", "api_key_ids": "api_key_id", "models": "model"}


def _completions(call: Call) -> dict[str, Any]:
    query = call.query()
    width, default, most = _WIDTHS[query.choice("bucket_width", _WIDTHS, "1d")]
    groups = _group_by(query, _USAGE_GROUPS)
    keep = _wanted(query, **_KEPT)
    batch = query.boolean("batch")

    def render(_at: int, usages: list[Usage]) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        for key, members in _grouped(usages, groups).items():
            tokens_in, tokens_out = sum(u.input_tokens for u in members), sum(u.output_tokens for u in members)
            cached = sum(u.cached_tokens for u in members)
            named: dict[str, Any] = dict.fromkeys(_USAGE_GROUPS) | dict(zip(groups, key, strict=True))
            results.append(
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": tokens_in,
                    "output_tokens": tokens_out,
                    "input_cached_tokens": cached,
                    "input_uncached_tokens": tokens_in - cached,
                    "input_text_tokens": tokens_in,
                    "output_text_tokens": tokens_out,
                    "input_audio_tokens": 0,
                    "output_audio_tokens": 0,
                    "num_model_requests": len(members),
                }
                | named
            )
        return results

    def kept(usage: Usage) -> bool:
        return MODELS[usage.model].chats and batch in (None, usage.batch) and keep(usage)

    return _buckets(call, query, width, default, most, render, kept)


def _embeddings(call: Call) -> dict[str, Any]:
    query = call.query()
    width, default, most = _WIDTHS[query.choice("bucket_width", _WIDTHS, "1d")]
    groups = _group_by(query, _EMBEDDING_GROUPS)
    keep = _wanted(query, **_KEPT)

    def render(_at: int, usages: list[Usage]) -> list[dict[str, Any]]:
        return [
            {
                "object": "organization.usage.embeddings.result",
                "input_tokens": sum(usage.input_tokens for usage in members),
                "num_model_requests": len(members),
            }
            | dict.fromkeys(_EMBEDDING_GROUPS)
            | dict(zip(groups, key, strict=True))
            for key, members in _grouped(usages, groups).items()
        ]

    return _buckets(call, query, width, default, most, render, lambda u: not MODELS[u.model].chats and keep(u))


def _costs(call: Call) -> dict[str, Any]:
    query = call.query()
    query.choice("bucket_width", ("1d",), "1d")
    groups = _group_by(query, _COST_GROUPS)
    lines = set(query.texts("line_items"))
    projects = query.texts("project_ids")
    wanted = _wanted(query, api_key_ids="api_key_id")
    by_line = "line_item" in groups
    others = [g for g in groups if g != "line_item"]

    settings = call.organization.settings

    def render(at: int, usages: list[Usage]) -> list[dict[str, Any]]:
        early = Decimal(settings.costs_early_percent if call.now < at + 2 * _DAY else 100) / 100
        sums: dict[tuple[str | None, tuple[Any, ...]], tuple[Decimal, int]] = {}
        for key, members in _grouped(usages, others).items():
            for usage in members:
                for kind in ("input", "output"):
                    line = f"{usage.model}, {kind}_tokens"
                    if lines and line not in lines:
                        continue
                    slot = (line if by_line else None, key)
                    money, tokens = sums.get(slot, (Decimal(0), 0))
                    sums[slot] = (
                        money + early * getattr(usage, f"{kind}_cost"),
                        tokens + getattr(usage, f"{kind}_tokens"),
                    )
        if settings.unattributed_cents and not lines and not projects:
            nobody = (None, tuple(None for _ in others))
            money, tokens = sums.get(nobody, (Decimal(0), 0))
            sums[nobody] = (money + Decimal(settings.unattributed_cents) / 100, tokens)
        return [
            {
                "object": "organization.costs.result",
                "amount": {"value": float(money), "currency": "usd"},
                "line_item": line,
                "quantity": tokens if by_line else None,
                "quantity_unit": "tokens" if by_line else None,
            }
            | {name: None for name in _COST_GROUPS if name != "line_item"}
            | dict(zip(others, key, strict=True))
            for (line, key), (money, tokens) in sums.items()
        ]

    def keep(usage: Usage) -> bool:
        return (not projects or usage.project_id in projects) and wanted(usage)

    return _buckets(call, query, _DAY, 7, 180, render, keep, delay=settings.costs_delay_seconds)


ROUTES = [
    admin_route("GET", "/usage/completions", _completions, access.USAGE_READ),
    admin_route("GET", "/usage/embeddings", _embeddings, access.USAGE_READ),
    admin_route("GET", "/costs", _costs, access.USAGE_READ),
]
