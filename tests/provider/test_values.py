"""The wire form of property values: nothing may be lost between the engine and the provider."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from local.provider.values import UNKNOWN, Archive, Secret, conceal, from_wire, holds_unknown, reveal, to_wire

SIGNATURE = "4dabf18193072939515e22adb298388d"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def struct(properties: dict[str, Any]) -> Struct:
    return json_format.ParseDict(properties, Struct())


def test_an_archive_keeps_its_path_and_hash_there_and_back() -> None:
    sent = {SIGNATURE: ARCHIVE, "path": "dist/f.zip", "hash": "ab12", "assets": {}}
    properties = from_wire(struct({"code": sent}))
    assert properties == {"code": Archive("ab12", "dist/f.zip")}, "the engine sends an empty `assets` beside the path"
    back = json_format.MessageToDict(to_wire(properties))
    assert back["code"] == {SIGNATURE: ARCHIVE, "path": "dist/f.zip", "hash": "ab12"}, "without its hash code looks new"


def test_what_is_unknown_stays_unknown() -> None:
    properties = from_wire(struct({"arn": UNKNOWN_TEXT, "tags": {"a": UNKNOWN_TEXT}}))
    assert properties["arn"] is UNKNOWN
    assert holds_unknown(properties["tags"])
    assert json_format.MessageToDict(to_wire(properties))["arn"] == UNKNOWN_TEXT


def test_a_null_is_left_out() -> None:
    assert from_wire(struct({"a": None, "b": 1})) == {"b": 1}


def test_a_secret_is_marked_again_where_it_came_from_and_nowhere_else() -> None:
    given_inputs = {"environment": {"variables": {"A": Secret("x"), "B": "y"}}, "name": "n"}
    outputs = {"environment": {"variables": {"A": "x", "B": "y"}}, "name": "n", "arn": "a"}
    marked = conceal(outputs, given_inputs)
    assert marked["environment"]["variables"]["A"] == Secret("x")
    assert reveal(marked) == outputs
    assert marked["environment"]["variables"]["B"] == "y", "a neighbour of a secret is none"


def test_a_list_with_a_secret_in_it_is_secret_as_a_whole() -> None:
    assert conceal(["x", "y"], [Secret("x"), "y"]) == Secret(["x", "y"])


def test_a_secret_never_shows_in_its_repr() -> None:
    assert "hidden" not in repr(Secret("hidden"))


plain = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=5), plain, max_size=4))
def test_plain_values_survive_the_wire(properties: dict[str, Any]) -> None:
    assert from_wire(to_wire(properties)) == properties
