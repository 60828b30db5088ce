"""A tenant's declaration as JSON: the same text for the same facts, read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from myflux_keys.declaration import Budget, Declaration, DeclarationError, RateLimit
from tests.health.given import declaration

FULL = declaration(
    budget=Budget(200, hard=True, alert_percent=(50, 80)), rate_limits={"gpt-5.4-mini": RateLimit(500, 200_000)}
)


def test_what_is_written_is_read_again() -> None:
    assert Declaration.from_json(FULL.to_json()) == FULL
    bare = declaration(budget=None, minted=False, enabled=False, organization_id="org-theirs")
    assert Declaration.from_json(bare.to_json()) == bare


def test_fields_of_a_newer_writer_are_ignored() -> None:
    assert Declaration.from_json(json.dumps(json.loads(FULL.to_json()) | {"colour": "red"})) == FULL


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"schema": 2}, "schema"),
        ({"schema": True}, "schema"),
        ({"tenant": ""}, "tenant"),
        ({"models": []}, "models"),
        ({"models": "gpt-5"}, "models"),
        ({"enabled": "yes"}, "enabled"),
        ({"budget": {"monthly_usd": 0, "hard": True}}, "monthly_usd"),
        ({"budget": {"monthly_usd": 1, "hard": True, "alert_percent": ["80"]}}, "alert_percent"),
        ({"budget": 5}, "budget"),
        ({"rate_limits": {"m": {"requests_per_minute": 5}}}, "tokens_per_minute"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DeclarationError, match=field):
        Declaration.from_json(json.dumps(json.loads(FULL.to_json()) | change))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"x"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        Declaration.from_json(text)
