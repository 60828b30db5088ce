"""Checks a resource's inputs and adds the values that the official plugin adds: defaults, names, default tags.

Pure functions. Leaves out the comparison with the state (`diff`). As in the official plugin, ``__defaults`` lists the
inputs that were added, so that an automatic name stays the same until the program gives a name.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.provider.model import AutoName, ListOf, MapOf, ObjectOf, Property, Resource, Scalar, Type
from local.provider.values import UNKNOWN, Archive, holds_unknown

DEFAULTS = "__defaults"

_PYTHON_TYPES: Mapping[Scalar, tuple[type, ...]] = {
    Scalar.STRING: (str,),
    Scalar.INTEGER: (int,),
    Scalar.NUMBER: (int, float),
    Scalar.BOOLEAN: (bool,),
    Scalar.ARCHIVE: (Archive,),
    Scalar.JSON: (str,),
    Scalar.POLICY: (str,),
}


@dataclass(frozen=True)
class Failure:
    property: str
    reason: str


@dataclass(frozen=True)
class Naming:
    """The engine's settings for automatic names: `proposed` must be used if `enforced`; `disabled` forbids them."""

    name: str
    seed: bytes
    proposed: str = ""
    enforced: bool = False
    disabled: bool = False


def check(
    resource: Resource,
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    naming: Naming,
    default_tags: Mapping[str, Any],
) -> tuple[dict[str, Any], list[Failure]]:
    """The inputs to store, and their failures. `olds` are the inputs that the last check returned, if any."""
    failures: list[Failure] = []
    properties = resource.properties()
    inputs: dict[str, Any] = {}
    for name, value in news.items():
        if name == DEFAULTS:
            continue
        if name not in properties:
            failures.append(Failure(name, _unknown_input(resource, name, properties)))
        elif value is not None:
            inputs[name] = _checked(properties[name], value, name, failures)
    if resource.retag is not None and default_tags:
        inputs["tags"] = _with_default_tags(default_tags, inputs.get("tags", {}))
    filled = _fill(resource, olds, inputs, naming, failures)
    for name, prop in properties.items():
        if prop.required and name not in inputs:
            failures.append(Failure(name, f"Missing required property '{name}'"))
    if not failures and resource.conflicts is not None:
        failures += [Failure(*conflict) for conflict in resource.conflicts(inputs)]
    return inputs | ({DEFAULTS: sorted(filled)}), failures


def _unknown_input(resource: Resource, name: str, properties: Mapping[str, Property]) -> str:
    close = difflib.get_close_matches(name, properties, 1)
    hint = f": did you mean '{close[0]}'?" if close else f". Its inputs are {', '.join(sorted(properties))}"
    return f"{resource.type} has no input '{name}' that the local stand-in carries{hint}"


def _checked(prop: Property, value: Any, path: str, failures: list[Failure]) -> Any:
    before = len(failures)
    value = _typed(prop.type, value, path, failures)
    if len(failures) == before and prop.rule is not None and not holds_unknown(value):
        reason = prop.rule(value)
        if reason is not None:
            failures.append(Failure(path, reason))
    return value


def _typed(kind: Type, value: Any, path: str, failures: list[Failure]) -> Any:
    if value is UNKNOWN:
        return value
    if isinstance(kind, Scalar):
        return _scalar(kind, value, path, failures)
    if isinstance(kind, ListOf):
        if isinstance(value, list):
            return [_typed(kind.item, item, f"{path}[{index}]", failures) for index, item in enumerate(value)]
    elif isinstance(value, dict):
        if isinstance(kind, MapOf):
            given = {name: item for name, item in value.items() if item is not None}
            return {name: _typed(kind.item, item, f"{path}.{name}", failures) for name, item in given.items()}
        return _object(kind, value, path, failures)
    failures.append(Failure(path, f"expected {describe(kind)}, got {_kind_of(value)}"))
    return value


def _scalar(kind: Scalar, value: Any, path: str, failures: list[Failure]) -> Any:
    if kind in (Scalar.POLICY, Scalar.JSON) and isinstance(value, dict):
        return UNKNOWN if holds_unknown(value) else json.dumps(value)
    fits = isinstance(value, _PYTHON_TYPES[kind]) and (kind is Scalar.BOOLEAN or not isinstance(value, bool))
    if not fits:
        failures.append(Failure(path, f"expected {describe(kind)}, got {_kind_of(value)}"))
    elif kind in (Scalar.POLICY, Scalar.JSON):
        try:
            json.loads(str(value))
        except ValueError as error:
            failures.append(Failure(path, f"is not a JSON document: {error}"))
    return value


def _object(kind: ObjectOf, value: dict[str, Any], path: str, failures: list[Failure]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, item in value.items():
        if name == DEFAULTS or item is None:
            continue
        if name not in kind.fields:
            close = difflib.get_close_matches(name, kind.fields, 1)
            hint = f": did you mean '{close[0]}'?" if close else f": it has {', '.join(kind.fields)}"
            failures.append(Failure(f"{path}.{name}", f"has no field '{name}' that the local stand-in carries{hint}"))
        else:
            checked[name] = _checked(kind.fields[name], item, f"{path}.{name}", failures)
    for name, prop in kind.fields.items():
        if name not in checked and prop.default is not None:
            checked[name] = prop.default
        if prop.required and name not in checked:
            failures.append(Failure(f"{path}.{name}", f"Missing required property '{name}'"))
    return checked


def _with_default_tags(defaults: Mapping[str, Any], tags: Any) -> Any:
    return UNKNOWN if tags is UNKNOWN else dict(defaults) | tags


def _fill(
    resource: Resource, olds: Mapping[str, Any], inputs: dict[str, Any], naming: Naming, failures: list[Failure]
) -> set[str]:
    filled: set[str] = set()
    for name, prop in resource.inputs.items():
        if name not in inputs and prop.default is not None:
            inputs[name] = prop.default
            filled.add(name)
    auto = resource.autoname
    if auto is None or auto.property in inputs:
        return filled
    if auto.property in olds.get(DEFAULTS, []) and auto.property in olds:
        inputs[auto.property] = olds[auto.property]
        filled.add(auto.property)
    elif naming.disabled:
        failures.append(Failure(auto.property, "automatic naming is off for this resource: give it a name"))
    else:
        inputs[auto.property] = _automatic(auto, naming, failures)
        filled.add(auto.property)
    return filled


def _automatic(auto: AutoName, naming: Naming, failures: list[Failure]) -> str:
    if naming.proposed:
        name = auto.prefix + naming.proposed.removeprefix(auto.prefix)
        if naming.enforced and len(name) > auto.longest:
            failures.append(Failure(auto.property, f"the name {name!r} is longer than {auto.longest} characters"))
        return name
    suffix = "-" + hashlib.sha256(naming.seed).hexdigest()[:7]
    return (auto.prefix + naming.name)[: auto.longest - len(suffix)] + suffix


def describe(kind: Type) -> str:
    if isinstance(kind, Scalar):
        return f"{'an' if kind.value[0] in 'ai' else 'a'} {kind.value}"
    if isinstance(kind, ListOf):
        return f"a list, each {describe(kind.item)}"
    return f"a map, each {describe(kind.item)}" if isinstance(kind, MapOf) else "an object"


def _kind_of(value: Any) -> str:
    """The name of a value's type. Never the value: it may be a secret."""
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), f"an {type(value).__name__.lower()}")
