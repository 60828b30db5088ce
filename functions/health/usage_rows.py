"""Usage and costs of some days of one organization, in one grouped call of each kind.

Owns the queries, and the rows that are left of OpenAI's: ids, days, counts and amounts. Amounts are texts from OpenAI's
JSON on, so that no float is ever summed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from functions.health.usage import COSTS, DAY_SECONDS, FAMILIES, dollars_of, paged
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import AdminAPI

COMPLETIONS: Final = FAMILIES[0]
_COST_GROUPS: Final[Mapping[str | None, tuple[str, ...]]] = {
    None: ("project_id",),
    "model": ("project_id", "line_item"),
    "key": ("project_id", "api_key_id"),
}
ROWS_A_PROJECT: Final = 8
"""Of one day, at most, usually: some models, each with some keys, whole and by batch."""
_ROWS: Final = 8000
"""Rows that a call asks for at most, about 450 bytes each: half of what `usage.LARGEST_BYTES` allows."""
_MOST_DAYS: Final = 31
"""OpenAI's limit of a page of usage by day."""


@dataclass
class Rows:
    """`days` are those that costs have a bucket of, `usage_days` those of usage. A cost row is [day, project,
    line item, key, US dollars as text]; a usage row [day, project, model, key, batch, service tier, input tokens,
    cached ones among them, output tokens, requests]. The project is null for what OpenAI books to none; fields that
    were not asked for are null."""

    days: list[str] = field(default_factory=list[str])
    usage_days: list[str] = field(default_factory=list[str])
    costs: list[list[Any]] = field(default_factory=list[list[Any]])
    usage: list[list[Any]] = field(default_factory=list[list[Any]])

    def add(self, more: Rows) -> None:
        for name, rows in vars(more).items():
            getattr(self, name).extend(rows)

    def keep(self, projects: Collection[str]) -> None:
        """Only their rows."""
        self.costs = [row for row in self.costs if row[1] in projects]
        self.usage = [row for row in self.usage if row[1] in projects]

    def size(self) -> int:
        """Bytes of its JSON, as Lambda sends it."""
        return len(json.dumps(vars(self)))

    def cut(self, most: int) -> int:
        """Leaves out the last rows until it has at most `most` bytes; returns how many."""
        left_out = 0
        while self.size() > most and (self.costs or self.usage):
            longer = max(self.usage, self.costs, key=len)
            drop = max(1, len(longer) // 8)
            del longer[-drop:]
            left_out += drop
        return left_out


def window_days(projects: int) -> int:
    """Days of one call: fewer with many projects, since a call's answer grows with both."""
    return max(1, min(_MOST_DAYS, _ROWS // (ROWS_A_PROJECT * max(projects, 1))))


def read_rows(
    api: AdminAPI, deadline: Deadline, first: date, before: date, by: str | None, only: list[str], today: date
) -> Rows:
    """The days from `first` to the one before `before`, of the projects `only`; if empty of all. Raises OpenAIError."""
    found = Rows()

    def buckets(path: str, groups: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        query: dict[str, str | list[str]] = {
            "start_time": str(_seconds(first)),
            "bucket_width": "1d",
            "group_by[]": list(groups),
            "limit": str((before - first).days),
        }
        if before <= today:
            query["end_time"] = str(_seconds(before))
        if only:
            query["project_ids[]"] = only
        for bucket in paged(api, deadline, path, query):
            day = datetime.fromtimestamp(bucket["start_time"], UTC).date()
            if first <= day < before:
                yield day.isoformat(), bucket

    for day, bucket in buckets(COSTS, _COST_GROUPS[by]):
        found.days.append(day)
        for row in bucket["results"]:
            spent = (row.get("project_id"), row.get("line_item"), row.get("api_key_id"), f"{dollars_of(row):f}")
            found.costs.append([day, *spent])
    for path in FAMILIES:
        chat = path == COMPLETIONS
        key = ("api_key_id",) if by == "key" else ()
        for day, bucket in buckets(path, ("project_id", "model", *key, *(("batch", "service_tier") if chat else ()))):
            if chat:
                found.usage_days.append(day)
            found.usage += [[day, *_used(row)] for row in bucket["results"]]
    return found


def _used(row: Mapping[str, Any]) -> list[Any]:
    """An embedding has no output, and its row neither cached tokens nor a batch."""
    named = [row.get(name) for name in ("project_id", "model", "api_key_id", "batch", "service_tier")]
    counts = ("input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests")
    return named + [int(row.get(name) or 0) for name in counts]


def _seconds(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_SECONDS
