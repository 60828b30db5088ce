"""What a command reads of the health function: whatever lies there, it says why nothing is known, and goes on."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.health.state import State
from myflux_keys.aws_names import CellNames
from ops.actions.health_memory import memory_of


def account(get: Any) -> Any:
    names = CellNames("local", "000000000000", "us-east-1")
    return SimpleNamespace(cell=SimpleNamespace(names=names), buckets=SimpleNamespace(get_object=get))


def holding(content: bytes) -> Any:
    return account(lambda **_: {"Body": io.BytesIO(content)})


def refusing(code: str) -> Any:
    def get(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetObject")

    return account(get)


def test_what_is_there_is_read() -> None:
    assert memory_of(holding(State(cycle_began=9.0).to_json().encode())).state == State(cycle_began=9.0)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b'{"schema": 2}', b"[" * 100_000, b'"\\ud800"'])
def test_what_is_not_ours_is_not_read_and_stops_nothing(content: bytes) -> None:
    memory = memory_of(holding(content))
    assert (memory.state, memory.kind) == (None, "health_not_read")
    assert memory.why


@pytest.mark.parametrize(
    ("code", "kind"),
    [("NoSuchBucket", "health_missing"), ("NoSuchKey", "health_not_run"), ("AccessDenied", "health_not_read")],
)
def test_an_absence_and_a_refusal_are_told_apart(code: str, kind: str) -> None:
    assert memory_of(refusing(code)).kind == kind


def test_another_failure_of_aws_is_no_absence() -> None:
    with pytest.raises(ClientError):
        memory_of(refusing("SlowDown"))
