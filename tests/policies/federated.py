"""Changes to the stacks of a cell with federation (`keyless`), each of which a rule refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policies.guardrails.model import Resource
from tests.policies.rehearsed import changed, edited

Stack = tuple[Resource, ...]
FEDERATED, KEYLESS = "local, with federation", "harbor.local, with federation"
"""The platform, and a tenant without a key."""


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
        (call,) = [one for one in resources if one.name == "harbor-openai-invocation"]
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
