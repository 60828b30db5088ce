"""The shipped stacks in a cell with federation, and a tenant of it that has no key."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import tenancy
from policies.guardrails.model import Resource
from program import ROOT
from tenancy import Cell
from tests.policies.rehearsed import changed, edited, stack

Stack = tuple[Resource, ...]
FEDERATED, KEYLESS = "local, with federation", "acme.local, without a key"


@cache
def with_federation(name: str, deployed: bool = True) -> Stack:
    """`name` is a stack's. Of the tenants, acme has no key."""
    with _files() as root:
        return stack(name, deployed, root)


@cache
def cell_with_federation() -> Cell:
    with _files() as root:
        return tenancy.load(root).cells["local"]


@contextmanager
def _files() -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("tenants", "cells"):
            shutil.copytree(ROOT / kind, Path(folder, kind))
        for file, line in (("cells/local", "federation: {enabled: true}"), ("tenants/acme", "credential: federated")):
            path = Path(folder, f"{file}.yaml")
            path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
        yield Path(folder)


def runtimes(edit: Callable[[Any], Any], sid: str = "TokenOfOwnTenant") -> Callable[[Stack], Stack]:
    """The runtime's statement of this Sid, changed."""
    return lambda s: edited(s, "local-runtime-read", "policy", lambda d: edit(_named(d, sid)))


def condition(operator: str, key: str, value: str | None) -> Callable[[Any], None]:
    """Another value, or None for no such condition."""

    def edit(statement: Any) -> None:
        held = statement["Condition"][operator]
        held.pop(key) if value is None else held.update({key: value})

    return edit


def boundarys(edit: Callable[[Any], Any]) -> Callable[[Stack], Stack]:
    def change(document: Any) -> None:
        (ask,) = [one for one in document["Statement"] if one["Action"] == "sts:GetWebIdentityToken"]
        edit(ask)

    return lambda s: edited(s, "local-boundary", "policy", change)


def asks(**fields: Any) -> Callable[[Stack], Stack]:
    """The tenant's federation rule, with other fields."""

    def change(resources: Stack) -> Stack:
        (call,) = [one for one in resources if one.name == "acme-openai-invocation"]
        asked = json.loads(call.text("input"))
        asked["federation"] |= fields
        return changed(resources, call.name, input=json.dumps(asked))

    return change


def trusts(arn: str) -> Callable[[Stack], Stack]:
    """The runtime role, which trusts one more."""

    def change(document: Any) -> None:
        document["Statement"][0]["Principal"]["AWS"].append(arn)

    return lambda s: edited(s, "local-runtime-role", "assumeRolePolicy", change)


def _named(document: Any, sid: str) -> Any:
    (found,) = [one for one in document["Statement"] if one["Sid"] == sid]
    return found
