"""What a killed engine left of a stack, before a command that starts an engine itself, such as `move`."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import OperationError
from ops.stacks.settling import settled

STACK = "acme.local"


def creating(type_: str) -> dict[str, Any]:
    resource = {"urn": f"urn:pulumi:{STACK}::myflux-keys::{type_}::one", "type": type_, "custom": True, "inputs": {}}
    return {"type": "creating", "resource": resource}


def engine(folder: Path, *pending: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """With a state in a folder, and what it was replaced by."""
    latest = {"resources": [], "pending_operations": list(pending)}
    states = folder / ".pulumi" / "stacks" / "myflux-keys"
    states.mkdir(parents=True, exist_ok=True)
    (states / f"{STACK}.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    replaced: list[dict[str, Any]] = []
    made = SimpleNamespace(
        place=lambda _stack: SimpleNamespace(url=f"file://{folder}"),
        export=lambda _stack: json.dumps(latest),
        replace_state=lambda _stack, deployment: replaced.append(deployment),
    )
    return made, replaced


def test_a_stack_that_nobody_left_is_used_as_it_is(tmp_path: Path) -> None:
    made, replaced = engine(tmp_path)
    assert settled(made, STACK) is False
    assert replaced == []


def test_what_was_begun_is_resolved_and_the_operation_must_refresh(tmp_path: Path) -> None:
    made, replaced = engine(tmp_path, creating("aws:secretsmanager/secretPolicy:SecretPolicy"))
    assert settled(made, STACK) is True
    assert replaced[0]["pending_operations"] == [], "it is made again"


def test_what_cannot_be_found_by_name_is_a_persons_to_search(tmp_path: Path) -> None:
    made, replaced = engine(tmp_path, creating("aws:kms/key:Key"))
    with pytest.raises(OperationError, match=f"pulumi refresh --stack {STACK}"):
        settled(made, STACK)
    assert replaced == []
