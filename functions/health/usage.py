"""Costs and usage of all projects of an organization, in a few grouped calls.

Owns the calls, their pages and sums. A page holds whole buckets, and a bucket one row a project, so the number of
buckets a page falls with the number of projects: 2,000 projects are one day a page. Amounts stay Decimal from the JSON
text on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, cast

from functions.shared.deadline import Deadline
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from myflux_keys.admin_budget import CALLS_PER_MINUTE, WINDOW_SECONDS

DAY_SECONDS: Final = 86_400
HOUR_SECONDS: Final = 3600
LARGEST_BYTES: Final = 8_000_000
COSTS: Final = "/organization/costs"
FAMILIES: Final = ("/organization/usage/completions", "/organization/usage/embeddings")
"""Those of the models that a tenant's file can name."""
_ROWS: Final = 2000
"""Rows of a page at most, about 300 bytes each."""
_MOST_BUCKETS: Final = 31
_KEEP_SECONDS: Final = 120.0
AT_ONCE: Final = CALLS_PER_MINUTE - 1
"""Pages in a minute: one call is left to others who read costs."""


@dataclass(frozen=True)
class Costs:
    """US dollars by project and day. `days` are those that OpenAI has a bucket of: a day without one is unknown, and a
    project without a row in one cost nothing. `unattributed`: of no project."""

    days: frozenset[date]
    by_project: Mapping[str, Mapping[date, Decimal]]
    unattributed: Decimal

    def of(self, project_id: str, known: Mapping[date, Decimal] | None) -> dict[date, Decimal]:
        """`known` with these days instead of the ones it has; no day before the first that cost anything."""
        mine = self.by_project.get(project_id, {})
        merged = dict(known or {}) | {day: mine.get(day, Decimal(0)) for day in self.days}
        first = min((day for day, usd in merged.items() if usd > 0), default=None)
        return {} if first is None else {day: usd for day, usd in merged.items() if day >= first}


def buckets_a_page(projects: int, buckets: int) -> int:
    return max(1, min(_MOST_BUCKETS, buckets, _ROWS // max(projects, 1)))


def read_costs(api: AdminAPI, deadline: Deadline, since: float, now: float, only: list[str], size: int) -> Costs:
    """From the day of `since` on, of the projects `only`; if empty of all, `size` of them. Raises OpenAIError."""
    days: set[date] = set()
    found: dict[str, dict[date, Decimal]] = {}
    nobody = Decimal(0)
    for bucket in _buckets(api, deadline, COSTS, since, now, only, size):
        day = datetime.fromtimestamp(bucket["start_time"], UTC).date()
        days.add(day)
        for row in bucket["results"]:
            usd = dollars_of(row)
            owner = row.get("project_id")
            if owner is None:
                nobody += usd
                continue
            mine = found.setdefault(owner, {})
            mine[day] = mine.get(day, Decimal(0)) + usd
    return Costs(frozenset(days), found, nobody)


def read_requests(api: AdminAPI, deadline: Deadline, now: float, only: list[str], size: int) -> dict[str, int]:
    """Requests by project, in this hour and the one before. OpenAI may show usage hours late: then a tenant with
    traffic seems to have none. Raises OpenAIError."""
    found: dict[str, int] = {}
    for family in FAMILIES:
        for bucket in _buckets(api, deadline, family, now - HOUR_SECONDS, now, only, size, HOUR_SECONDS):
            for row in bucket["results"]:
                if row.get("project_id") is not None:
                    found[row["project_id"]] = found.get(row["project_id"], 0) + int(row["num_model_requests"])
    return found


def dollars_of(row: Mapping[str, Any]) -> Decimal:
    """Raises OpenAIError if the amount is of another currency."""
    amount: Any = row.get("amount") or {}
    if str(amount.get("currency", "usd")).lower() != "usd":
        raise OpenAIError(f"GET {COSTS}", f"costs are in {amount['currency']}, not in usd", maybe_applied=False)
    # A float's shortest text is what OpenAI wrote; the float itself is not.
    return Decimal(str(amount.get("value", 0)))


def _buckets(
    api: AdminAPI,
    deadline: Deadline,
    path: str,
    since: float,
    now: float,
    only: list[str],
    size: int,
    width: int = DAY_SECONDS,
) -> Iterator[Mapping[str, Any]]:
    start = int(since // width) * width
    limit = buckets_a_page(size, int(now // width) - start // width + 1)
    shown = {DAY_SECONDS: "1d", HOUR_SECONDS: "1h"}[width]
    query: dict[str, str | list[str]] = {
        "start_time": str(start),
        "bucket_width": shown,
        "group_by[]": "project_id",
        "limit": str(limit),
    }
    if only:
        query["project_ids[]"] = only
    yield from paged(api, deadline, path, query)


def paged(
    api: AdminAPI, deadline: Deadline, path: str, query: Mapping[str, str | list[str]]
) -> Iterator[Mapping[str, Any]]:
    """The buckets of every page. Raises OpenAIError."""
    page: str | None = None
    number = 0
    while True:
        if number and number % AT_ONCE == 0:
            deadline.pause(WINDOW_SECONDS, keep=_KEEP_SECONDS)
        answer = api.send("GET", path, query={**query, **({"page": page} if page else {})}, largest=LARGEST_BYTES)
        data: Any = answer.get("data")
        if not isinstance(data, list):
            raise OpenAIError(f"GET {path}", "the answer has no `data`", maybe_applied=False, status=200)
        yield from cast("list[Mapping[str, Any]]", data)
        following: Any = answer.get("next_page")
        if not answer.get("has_more") or not following:
            return
        if following == page:
            raise OpenAIError(f"GET {path}", "the answer repeats a page", maybe_applied=False, status=200)
        page, number = following, number + 1
