"""A key is found wherever it is written and however it is wrapped, and is never repeated."""

from __future__ import annotations

import base64
import gzip
import json
from urllib.parse import quote

import pytest

from policies.guardrails.key_shapes import holds_key
from tests.policies.rehearsed import findings, resource

KEY = "sk-" + "svcacct-" + "aB3dE6" * 6
ACCESS = "AKIA" + "IOSFODNN7" + "EXAMPLE"


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WRAPPED = {
    "plain": KEY,
    "in a sentence": f"use {KEY}, please",
    "an access key": f"aws_access_key_id={ACCESS}",
    "base64": packed(KEY),
    "base64 for addresses": base64.urlsafe_b64encode(f"?>?>{KEY}".encode()).decode(),
    "base64 after a prefix": "v1" + packed(f"key: {KEY}"),
    "base64 twice": packed(packed(f"export OPENAI={KEY}")),
    "base64 in lines": "\n".join(packed(f"#!/bin/sh\nexport OPENAI={KEY}\n")[n : n + 20] for n in range(0, 90, 20)),
    "base64 of bytes": base64.b64encode(bytes(range(128, 256)) + KEY.encode()).decode(),
    "base64 of UTF-16 in bytes": base64.b64encode(bytes(range(128, 256)) + KEY.encode("utf-16-le")).decode(),
    "base64 in lines below words": "words " * 30
    + "\n"
    + "\n".join(packed(f"1234567 {KEY}")[n : n + 12] for n in range(0, 90, 12)),
    "a zip of user data": base64.b64encode(gzip.compress(f"#!/bin/sh\nexport OPENAI={KEY}".encode())).decode(),
    "hexadecimal": KEY.encode().hex(),
    "percent signs": quote(KEY, safe="").replace("-", "%2D"),
    "escapes": json.dumps({"key": KEY}).replace("-", "\\u002d"),
}


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("aws:lambda/function:Function", "description"),
        ("aws:ssm/parameter:Parameter", "value"),
        ("aws:ec2/instance:Instance", "userData"),
        ("aws:lambda/invocation:Invocation", "input"),
    ],
)
def test_a_key_is_found_however_it_is_wrapped(kind: str, place: str, wrapped: str) -> None:
    (found,) = findings("no-key-in-properties", [resource(kind, **{place: wrapped})])
    assert found.path == place
    assert KEY not in found.message


def test_a_key_is_found_in_tags_names_and_lists_and_not_repeated() -> None:
    shown = resource("aws:sqs/queue:Queue", tags={"note": KEY, KEY: "x"}, list=[{"deep": [ACCESS]}])
    found = findings("no-key-in-properties", [shown])
    assert {one.path for one in found} == {"tags.note", "tags", "list[0].deep[0]"}
    assert not any(KEY in repr(one) or ACCESS in repr(one) for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:myflux/prod-eu1/acme/openai-AbCdEf",
        "task-1234567890abcdef1234567890",
        "7c464b6e-730a-483b-65fe-b76649c164b0",
        "proj_e8d7cb579be25605ae9e3722",
        packed("an ordinary text that is long enough to be unwrapped"),
        "0" * 64,
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert not holds_key(text)
