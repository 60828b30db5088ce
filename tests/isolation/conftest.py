"""The shipped cell's documents, rehearsed, and the way to break one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

import program
import tenancy
from ops.review.rehearsal import Registered, rehearse
from tenancy import Cell

STACKS = ("local", "acme.local", "fjord.local", "globex.local", "initech.local")

Statements = list[dict[str, Any]]


@pytest.fixture(scope="session")
def cell() -> Cell:
    return tenancy.load(program.ROOT).cells["local"]


@pytest.fixture(scope="session")
def shipped() -> Sequence[Registered]:
    return [resource for stack in STACKS for resource in rehearse(stack)]


def broken(
    shipped: Sequence[Registered], ends: str, change: Callable[[Statements], object], property_: str = "policy"
) -> list[Registered]:
    """`shipped` with the statements of one resource's document changed. `ends` is how the resource's name ends."""
    (target,) = [r for r in shipped if r.name.endswith(ends) and property_ in r.inputs]
    document = json.loads(target.inputs[property_])
    before = json.dumps(document)
    changed = change(document["Statement"])
    if isinstance(changed, list):
        document["Statement"] = changed
    assert json.dumps(document) != before, f"nothing of {ends} was changed: the test would prove nothing"
    worse = replace(target, inputs={**target.inputs, property_: json.dumps(document)})
    return [worse if resource is target else resource for resource in shipped]


def without(sid: str) -> Callable[[Statements], Statements]:
    return lambda statements: [statement for statement in statements if statement["Sid"] != sid]


def by_sid(statements: Statements, sid: str) -> dict[str, Any]:
    (found,) = [statement for statement in statements if statement["Sid"] == sid]
    return found
