"""What breaks one claim of a rule's description, in one line of the table of claims."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from policies.guardrails.config import Config
from policies.guardrails.model import Resource
from tests.mutants.subjects import COPIED
from tests.policies.federated import FEDERATED, KEYLESS
from tests.policies.keyless import keyless
from tests.policies.pipelines import with_a_pipeline
from tests.policies.rehearsed import resource, stack
from tests.policies.test_each_rule import extra, sets

Stack = tuple[Resource, ...]
COPIES, PIPELINE = "harbor.copied", "local, with a pipeline"


@dataclass(frozen=True)
class Claim:
    words: str
    stack: str
    breaks: Callable[[Stack], Stack]
    told: Config | None = None


def without_action(*actions: str) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        for one in document["Statement"]:
            listed = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
            one["Action"] = [action for action in listed if action not in actions] or ["secretsmanager:ListSecrets"]

    return edit


def variables(**changed: Any) -> Callable[[Stack], Stack]:
    return sets("local-sweep-function", environment={"variables": changed})


def first(place: int, path: tuple[str, ...], value: Any) -> Callable[[Any], None]:
    """Sets what is at `path` in the statement at `place`."""

    def edit(document: Any) -> None:
        at = document["Statement"][place]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return edit


def of(sid: str, path: tuple[str, ...], value: Any) -> Callable[[Any], None]:
    def edit(document: Any) -> None:
        places = [place for place, one in enumerate(document["Statement"]) if one["Sid"] == sid]
        first(places[0], path, value)(document)

    return edit


def event(name: str, **changed: Any) -> Callable[[Stack], Stack]:
    def change(stack: Stack) -> Stack:
        (target,) = [one for one in stack if one.name == name]
        return sets(name, input=json.dumps({**json.loads(target.text("input")), **changed}))(stack)

    return change


def without_event_name(name: str) -> Callable[[Stack], Stack]:
    def change(stack: Stack) -> Stack:
        (rule,) = [one for one in stack if one.name == "local-alarms-rotation-failed"]
        pattern = json.loads(rule.text("eventPattern"))
        pattern["detail"]["eventName"].remove(name)
        return sets(rule.name, eventPattern=json.dumps(pattern))(stack)

    return change


def unprotected(*names: str) -> Callable[[Stack], Stack]:
    return lambda stack: tuple(replace(one, protect=one.name not in names) for one in stack)


def attached(policy: str, role: str) -> Callable[[Stack], Stack]:
    type_ = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    return extra(resource(type_, role=role, policyArn=f"arn:aws:iam::{policy}"))


def shipped(name: str) -> Stack:
    """The stack that a claim is about."""
    if name == PIPELINE:
        return with_a_pipeline("local", "everything")
    if name in (FEDERATED, KEYLESS):
        return keyless(name.partition(",")[0])
    return stack(name, root=COPIED) if name == COPIES else stack(name)
