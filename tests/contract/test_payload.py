"""The payload that the rotation function writes and readers read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys.payload import SCHEMA, Payload, PayloadError, SecretText

KEY = "sk-" + "svcacct-" + "k" * 30
text = st.text(min_size=1, max_size=60)
payloads = st.builds(
    Payload,
    tenant=text,
    api_key=text.map(SecretText),
    key_id=text,
    project_id=text,
    service_account_id=text,
    organization_id=text,
    base_url=text,
    models=st.lists(text, max_size=5).map(tuple),
    minted_at=text,
    expires_at=text,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def example(**changes: Any) -> dict[str, Any]:
    fields = {name: name for name in Payload.__dataclass_fields__}
    return {"schema": SCHEMA} | fields | {"api_key": KEY, "models": ["gpt-5-mini"], "source": "managed"} | changes


UNKNOWN_OF_CUSTOMERS = ["key_id", "project_id", "service_account_id", "organization_id", "expires_at"]


@given(payloads)
def test_a_payload_survives_the_way_through_json(payload: Payload) -> None:
    assert Payload.from_json(payload.to_json()) == payload


@given(payloads, st.dictionaries(st.text().map("x-".__add__), json_values, max_size=4))
def test_fields_that_a_newer_writer_adds_are_ignored(payload: Payload, extra: dict[str, Any]) -> None:
    assert Payload.from_json(json.dumps(json.loads(payload.to_json()) | extra)) == payload


@given(st.integers(0, len(json.dumps(example())) - 1))
def test_a_truncated_payload_is_refused_without_its_value(length: int) -> None:
    with pytest.raises(PayloadError) as caught:
        Payload.from_json(json.dumps(example())[:length])
    assert KEY not in repr(caught.value)
    assert caught.value.__context__ is None, "a JSONDecodeError carries the whole document"


@given(st.integers(0, len(json.dumps(example())) - 1), st.characters(codec="utf-8"))
def test_a_garbled_payload_never_shows_its_value(position: int, character: str) -> None:
    garbled = json.dumps(example())
    garbled = garbled[:position] + character + garbled[position + 1 :]
    shown = ""
    try:
        shown = repr(Payload.from_json(garbled))
    except PayloadError as error:
        shown = repr(error)
    assert KEY[:-2] not in shown, "one character changed: the rest of the key is as secret as the whole"


@given(json_values)
def test_whatever_is_no_payload_is_refused(value: Any) -> None:
    with pytest.raises(PayloadError):
        Payload.from_json(json.dumps(value))


@pytest.mark.parametrize("field", [name for name in Payload.__dataclass_fields__ if name != "models"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], {}])
def test_every_text_field_must_be_there_and_say_something(field: str, value: object) -> None:
    with pytest.raises(PayloadError, match=field):
        Payload.from_json(json.dumps(example(**{field: value})))


@pytest.mark.parametrize("field", UNKNOWN_OF_CUSTOMERS)
def test_what_a_customers_key_does_not_tell_is_empty_or_left_out(field: str) -> None:
    told = example(source="customer")
    assert getattr(Payload.from_json(json.dumps(told | {field: ""})), field) == ""
    del told[field]
    assert getattr(Payload.from_json(json.dumps(told)), field) == ""


@pytest.mark.parametrize("field", ["tenant", "api_key", "base_url", "minted_at"])
def test_a_customers_payload_still_needs_what_a_reader_cannot_do_without(field: str) -> None:
    with pytest.raises(PayloadError, match=field):
        Payload.from_json(json.dumps(example(source="customer", **{field: ""})))


@given(payloads)
def test_a_managed_payload_reads_the_same_without_its_source(payload: Payload) -> None:
    """Written before there was one, or read by a reader that knows none."""
    told = json.loads(payload.to_json())
    assert told.pop("source") == "managed"
    assert Payload.from_json(json.dumps(told)) == payload


@pytest.mark.parametrize("source", ["", "ours", None, 1, ["managed"]])
def test_another_source_is_refused_rather_than_guessed(source: object) -> None:
    with pytest.raises(PayloadError, match="source"):
        Payload.from_json(json.dumps(example(source=source)))


@pytest.mark.parametrize("value", [None, "gpt-5", [1], {"a": 1}])
def test_models_are_a_list_of_names(value: object) -> None:
    with pytest.raises(PayloadError, match="models"):
        Payload.from_json(json.dumps(example(models=value)))


@pytest.mark.parametrize("schema", [None, 0, 2, "1", True, 1.5])
def test_another_schema_is_refused_rather_than_guessed(schema: object) -> None:
    with pytest.raises(PayloadError, match="schema"):
        Payload.from_json(json.dumps(example(schema=schema)))


def test_a_document_nested_beyond_reason_is_refused_like_any_other() -> None:
    with pytest.raises(PayloadError, match="not JSON"):
        Payload.from_json("[" * 200_000)
