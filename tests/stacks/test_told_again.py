"""The provisioner is called again by `up --refresh`, though the program says nothing new: the state's text differs."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from ops.stacks.told_again import tell_again, with_other_text

SAID = '{"tenant": "acme"}'
INVOCATION = {"type": "aws:lambda/invocation:Invocation", "inputs": {"input": SAID}, "outputs": {"input": SAID}}
OTHER = {"type": "aws:s3/bucketObjectv2:BucketObjectv2", "inputs": {"content": SAID}, "outputs": {"content": SAID}}


def test_the_text_is_another_and_says_the_same() -> None:
    changed = with_other_text({"resources": [OTHER, INVOCATION]})
    assert changed is not None
    other, invocation = changed["resources"]
    assert other == OTHER
    for side in ("inputs", "outputs"):
        text = invocation[side]["input"]
        assert text != SAID
        assert json.loads(text) == json.loads(SAID), "what the provisioner is told was before"


def test_one_that_was_stopped_before_the_engine_is_repeated_without_more() -> None:
    once = with_other_text({"resources": [INVOCATION]})
    assert once is not None
    assert with_other_text(once) == once


def test_a_stack_without_a_call_of_the_provisioner_is_left_alone() -> None:
    for deployment in ({}, {"resources": None}, {"resources": [OTHER]}):
        assert with_other_text(deployment) is None
    replaced: list[Any] = []
    engine: Any = SimpleNamespace(export=lambda _stack: "{}", replace_state=lambda *given: replaced.append(given))
    tell_again(engine, "acme.local")
    assert replaced == []


def test_what_another_worker_writes_meanwhile_is_not_lost() -> None:
    states = iter([json.dumps({"resources": [INVOCATION, *more]}) for more in ([], [OTHER], [OTHER])])
    replaced: list[Any] = []
    engine: Any = SimpleNamespace(
        export=lambda _stack: next(states), replace_state=lambda _stack, deployment: replaced.append(deployment)
    )
    tell_again(engine, "acme.local")
    assert [one["type"] for one in replaced[0]["resources"]] == [INVOCATION["type"], OTHER["type"]]
    assert len(replaced) == 1
