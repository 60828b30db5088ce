"""Whose key is rotated first in a run over many."""

from __future__ import annotations

from datetime import UTC, datetime

from ops.actions.rotation_order import as_given, last_read_first
from ops.rotation_state import SecretFacts, facts

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)


def read_on(day: int | None) -> SecretFacts:
    accessed = {"LastAccessedDate": datetime(2026, 11, day, tzinfo=UTC)} if day else {}
    return facts({"ARN": "arn", "Name": "name", **accessed})


def test_tenants_given_by_name_keep_their_order() -> None:
    assert as_given(["globex", "acme", "globex"], ["acme", "globex"]) == ["globex", "acme"]


def test_who_was_read_in_the_last_24_hours_comes_before_all_others() -> None:
    """AWS tells the day, so at 07:00 a reading of the last 24 hours is of today or of yesterday."""
    found = {"today": read_on(30), "also-today": read_on(30), "yesterday": read_on(29), "old": read_on(2)}
    found["never"] = read_on(None)
    tenants = ["gone", "never", "old", "yesterday", "today", "also-today"]
    assert last_read_first(tenants, found) == ["also-today", "today", "yesterday", "old", "gone", "never"]
