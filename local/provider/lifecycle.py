"""Creates, reads, updates and deletes one resource by its description, and predicts the result for a preview.

Owns what all types share: the order of steps, tags, when a resource counts as deleted, and the state that is kept after
a partial failure. Leaves out the AWS calls (`services/`) and the engine's protocol (`servicer`). States here are plain
values, without secret marks.
"""

from __future__ import annotations

from typing import Any

from local.provider.aws import Aws, OutOfTime, Refused, explain, is_gone
from local.provider.check import DEFAULTS
from local.provider.diff import diff
from local.provider.model import Change, ObjectOf, Resource, State, absent
from local.provider.values import UNKNOWN


class Failed(Exception):
    """An operation failed and changed nothing."""


class Partial(Exception):
    """An operation was only partly done: `state` is what exists now, and must be stored in the stack's state."""

    def __init__(self, reason: str, id: str, state: State) -> None:
        super().__init__(reason)
        self.id = id
        self.state = state


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError, OutOfTime, Refused)


def create(resource: Resource, aws: Aws, name: str, inputs: State) -> tuple[str, State]:
    given = {key: value for key, value in inputs.items() if key != DEFAULTS}
    try:
        made = resource.create(aws, given)
    except _errors() as error:
        raise Failed(f"creating {resource.type} {name!r}: {explain(error)}") from None
    state = _held(resource, given) | made.outputs
    try:
        if resource.complete is not None:
            resource.complete(aws, made.id, given)
        seen = resource.read(aws, made.id, state)
    except _errors() as error:
        reason = f"creating {resource.type} {name!r} ({made.id}): it exists, but is not complete: {explain(error)}"
        raise Partial(reason, made.id, _seen_or(resource, aws, made.id, state)) from None
    if seen is None:
        raise Failed(f"creating {resource.type} {name!r} ({made.id}): AWS created it, but then did not find it")
    return made.id, _state(resource, aws, made.id, state, seen)


def read(resource: Resource, aws: Aws, name: str, id: str, state: State) -> tuple[str, State] | None:
    """The id and the state read from AWS, or None if the resource no longer exists. An empty `state` is an import."""
    prior = state or {key: prop.default for key, prop in resource.inputs.items() if prop.default is not None}
    try:
        seen = resource.read(aws, id, prior)
    except _errors() as error:
        if is_gone(error):
            return None
        raise Failed(f"reading {resource.type} {name!r} ({id}): {explain(error)}") from None
    if seen is None:
        return None
    id = seen.get("id", id)
    return id, _state(resource, aws, id, prior, seen)


def update(resource: Resource, aws: Aws, name: str, id: str, old: State, inputs: State) -> State:
    given = {key: value for key, value in inputs.items() if key != DEFAULTS}
    changed = diff(resource, old, given, aws.region).changed
    state = _held(resource, given, old)
    try:
        if "tags" in changed and resource.retag is not None:
            before, after = old.get("tags") or {}, given.get("tags") or {}
            gone = sorted(before.keys() - after.keys())
            resource.retag(aws, id, {k: v for k, v in after.items() if before.get(k) != v}, gone)
        if changed - {"tags"} and resource.update is not None:
            state |= resource.update(aws, Change(id, old, given, changed - {"tags"}))
        seen = resource.read(aws, id, state)
    except _errors() as error:
        reason = f"updating {resource.type} {name!r} ({id}): {explain(error)}"
        remains = _seen_or(resource, aws, id, old)
        if remains == old:
            raise Failed(reason) from None
        raise Partial(reason, id, remains) from None
    if seen is None:
        raise Failed(f"updating {resource.type} {name!r} ({id}): it no longer exists; run `pulumi refresh`, then up")
    return _state(resource, aws, id, state, seen)


def delete(resource: Resource, aws: Aws, name: str, id: str, state: State) -> None:
    try:
        resource.delete(aws, id, state)
    except _errors() as error:
        if not (resource.tolerates_absence and is_gone(error)):
            raise Failed(f"deleting {resource.type} {name!r} ({id}): {explain(error)}") from None


def _held(resource: Resource, given: State, old: State | None = None) -> State:
    """The state without a read from AWS: the inputs, and those old outputs that no input sets."""
    outputs = {key: value for key, value in (old or {}).items() if key in resource.results()}
    return outputs | given


def _seen_or(resource: Resource, aws: Aws, id: str, fallback: State) -> State:
    """The state after a failure: read from AWS, or the last known one if the read fails too."""
    try:
        seen = resource.read(aws, id, fallback)
    except _errors():
        return fallback
    return fallback if seen is None else _state(resource, aws, id, fallback, seen)


def _state(resource: Resource, aws: Aws, id: str, prior: State, seen: State) -> State:
    """`seen`, with the values that AWS never returns. A value equivalent to `prior`'s keeps the text of `prior`."""
    properties = resource.properties()
    state = {key: prior[key] for key, prop in properties.items() if key in prior and not prop.read_back}
    state |= {key: prior[key] for key in resource.results() if key in prior}
    state |= resource.fixed
    for key, value in seen.items():
        before = prior.get(key)
        same = key in properties and before is not None and value is not None and properties[key].equal(before, value)
        state[key] = before if same and not isinstance(properties[key].type, ObjectOf) else value
    if resource.retag is not None:
        tags = {k: v for k, v in (seen.get("tags") or {}).items() if not k.startswith("aws:")}
        state |= {"tags": tags, "tagsAll": tags}
    if resource.regional:
        state["region"] = aws.region
    return {key: value for key, value in state.items() if value is not None} | {"id": id}


def inputs_of(resource: Resource, state: State, old: State) -> State:
    """The inputs that a program would give for `state`: those of `old`, updated; for an import all that are needed."""
    properties = resource.properties()
    if not old:
        return {
            key: state[key]
            for key, prop in properties.items()
            if key in state and (prop.required or key == "name" or _telling(prop.computed, prop.default, state[key]))
        } | {DEFAULTS: []}
    fresh: State = {}
    for key, value in old.items():
        if key not in properties or not properties[key].read_back:
            fresh[key] = value
        elif key in state:
            now = state[key]
            fresh[key] = value if properties[key].equal(value, now) or (absent(value) and absent(now)) else now
    if "tags" not in old and state.get("tags"):
        fresh["tags"] = state["tags"]
    return fresh


def _telling(computed: bool, default: Any, value: Any) -> bool:
    return not computed and value != default and not absent(value)


def predict_create(resource: Resource, inputs: State, region: str) -> State:
    """The state after a create, as far as a preview can know it."""
    state = {key: value for key, value in inputs.items() if key != DEFAULTS}
    unknown = {key: UNKNOWN for key in resource.results() if key != "tagsAll"} | dict(resource.fixed)
    unknown |= {key: UNKNOWN for key, prop in resource.properties().items() if prop.computed and key not in state}
    if resource.regional:
        unknown["region"] = state.get("region", region)
    return unknown | state | ({"tagsAll": state.get("tags", {})} if resource.retag is not None else {})


def predict_update(resource: Resource, old: State, inputs: State, region: str) -> State:
    """The state after an update, as far as a preview can know it: outputs that the update changes are unknown."""
    given = {key: value for key, value in inputs.items() if key != DEFAULTS}
    changed = diff(resource, old, given, region).changed
    properties = resource.properties()
    kept = {k: v for k, v in old.items() if k not in properties or properties[k].computed}
    anew = resource.volatile(given, changed) if resource.volatile is not None else frozenset[str]()
    state = kept | given | {key: UNKNOWN for key in anew if key not in given}
    return state | ({"tagsAll": state.get("tags", {})} if resource.retag is not None else {})
