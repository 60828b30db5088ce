"""Which keys a secret's versions hold, and which of OpenAI's they are: decisions, and values of every shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.shared.openai_admin import Key
from functions.sweep.held_keys import HeldKey, among, held_keys
from myflux_keys.payload import SecretText

START = "sk-" + "svcacct-"
ONE, OTHER = START + "a" * 30 + "wxyz", START + "b" * 30 + "1234"


class Store:
    """Versions and what they hold; None for one without a value."""

    def __init__(self, **values: str | None) -> None:
        self._values = values

    def value(self, version_id: str) -> SecretText | None:
        text = self._values[version_id]
        return None if text is None else SecretText(text)


def payload(key: str, **changes: Any) -> str:
    fields = {
        "schema": 1,
        "tenant": "acme",
        "api_key": key,
        "key_id": "key_1",
        "project_id": "proj_1",
        "service_account_id": "svc_1",
        "organization_id": "org",
        "base_url": "https://x",
        "models": ["m"],
        "minted_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-02-01T00:00:00Z",
    }
    return json.dumps(fields | changes)


def held(**values: str | None) -> list[HeldKey]:
    return held_keys(Store(**values), values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [ONE, json.dumps({"key": ONE}), f"OPENAI_API_KEY={ONE}\n", payload(ONE, schema=9), payload(ONE, models=None)],
    ids=["bare", "json", "dotenv", "another schema", "broken payload"],
)
def test_a_key_is_found_in_whatever_was_stored(value: str) -> None:
    (found,) = held(v1=value)
    assert (found.value.reveal(), found.versions, found.key_id) == (ONE, ("v1",), "")
    assert found.named == "the key in version v1"
    assert ONE not in repr(found)


def test_one_key_in_several_versions_is_one_with_all_that_they_tell() -> None:
    first, second = held(
        v1=json.dumps({"key": ONE}), v2=payload(ONE), v3=None, v4="{}", v5=payload(OTHER, tenant="beta")
    )
    assert (first.versions, first.key_id, first.project_id) == (("v1", "v2"), "key_1", "proj_1")
    assert (second.versions, second.value.reveal()) == (("v5",), OTHER), (
        "made for another tenant, and here all the same"
    )


def test_a_key_in_a_field_for_ids_is_not_repeated() -> None:
    (found,) = held(v1=payload(ONE, key_id=ONE))
    assert ONE not in found.named


def listed(key_id: str, value: str | None) -> Key:
    return Key(key_id, "", 0, None, None, redacted_value="" if value is None else f"{START}**********{value[-4:]}")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([listed("key_1", ONE), listed("key_2", OTHER)], "key_1"),
        ([listed("key_1", OTHER), listed("key_2", ONE)], "key_2"),
        ([listed("key_8", ONE), listed("key_9", OTHER)], "key_8"),
        ([listed("key_1", ONE), listed("key_9", ONE)], "key_1"),
        ([listed("key_8", ONE), listed("key_9", ONE)], None),
        ([listed("key_1", OTHER)], None),
        ([listed("key_1", None)], "key_1"),
        ([], None),
    ],
    ids=["both", "wrong id", "no id listed", "twins", "twins without id", "not its value", "nothing shown", "none"],
)
def test_a_held_key_is_told_among_the_listed_ones_or_not_at_all(keys: list[Key], expected: str | None) -> None:
    found = among(HeldKey(SecretText(ONE), ("v1",), key_id="key_1"), keys)
    assert (found.id if found else None) == expected
