"""How a resource type is described: its inputs, outputs and the functions that create, read, update and delete it.

Owns the classes that the files in `services/` use. Leaves out the use of a description: checks (`check`), comparison
(`diff`), the engine's protocol (`servicer`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from local.provider.documents import same_json, same_policy
from local.provider.values import Archive

if TYPE_CHECKING:
    from local.provider.aws import Aws

State: TypeAlias = dict[str, Any]


class Scalar(Enum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ARCHIVE = "archive"
    JSON = "JSON document"
    POLICY = "policy document"


@dataclass(frozen=True)
class ListOf:
    """`unordered`: AWS stores a set, so a different order is not a change."""

    item: Type
    unordered: bool = False


@dataclass(frozen=True)
class MapOf:
    item: Type


@dataclass(frozen=True)
class ObjectOf:
    """A nested block, with its official type name, e.g. ``aws:lambda/FunctionEnvironment:FunctionEnvironment``."""

    token: str
    fields: Mapping[str, Property]


Type: TypeAlias = Scalar | ListOf | MapOf | ObjectOf


@dataclass(frozen=True)
class Property:
    """One input.

    `replaces`: a change needs a new resource. `computed`: AWS sets it if it is not given, so its absence is not a
    change. `read_back`: AWS returns the value; otherwise the state keeps the value last given. `rule` returns why a
    known value is refused, or None. `same` returns whether two given values are equivalent.
    """

    type: Type
    required: bool = False
    replaces: bool = False
    computed: bool = False
    default: Any = None
    read_back: bool = True
    rule: Callable[[Any], str | None] | None = None
    same: Callable[[Any, Any], bool] | None = None

    def equal(self, old: Any, new: Any) -> bool:
        if self.same is not None:
            return self.same(old, new)
        if self.type is Scalar.POLICY:
            return same_policy(old, new)
        if self.type is Scalar.JSON:
            return same_json(old, new)
        if isinstance(old, Archive) and isinstance(new, Archive):
            return old.hash == new.hash
        if isinstance(self.type, ListOf) and self.type.unordered:
            return _sorted(old) == _sorted(new)
        return bool(old == new)


def _sorted(items: Any) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True, default=repr) for item in items)


@dataclass(frozen=True)
class AutoName:
    """The input that gets an automatic name if none is given: the resource's name, a hyphen, seven hex digits."""

    property: str = "name"
    longest: int = 255
    prefix: str = ""


@dataclass(frozen=True)
class Created:
    """`outputs` are the values that only the create call returns, and no read."""

    id: str
    outputs: State = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """An update: `changed` has the names of the top-level inputs whose value differs from the state."""

    id: str
    old: State
    new: State
    changed: frozenset[str]


@dataclass(frozen=True)
class Resource:
    """One resource type.

    `create` creates the resource; `complete` makes the calls that need it to exist, so that the state keeps the
    resource if they fail. `read(aws, id, prior)` returns the state, or None if the resource no longer exists; a key
    ``id`` in it corrects an import id. `update` returns the outputs that only its call returns.
    `fixed` are outputs that the official plugin always has, with the value that they have for all that the stand-in
    carries. `retag(aws, id, add, remove)` is set for types that have tags. `volatile` returns the outputs that a change
    makes unknown in a preview.
    """

    type: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Type]
    create: Callable[[Aws, State], Created]
    read: Callable[[Aws, str, State], State | None]
    delete: Callable[[Aws, str, State], None]
    fixed: Mapping[str, str | int | bool] = field(default_factory=dict[str, str | int | bool])
    update: Callable[[Aws, Change], State] | None = None
    complete: Callable[[Aws, str, State], None] | None = None
    retag: Callable[[Aws, str, Mapping[str, str], Sequence[str]], None] | None = None
    autoname: AutoName | None = None
    regional: bool = True
    delete_before_replace: bool = False
    tolerates_absence: bool = True
    conflicts: Callable[[State], list[tuple[str, str]]] | None = None
    replaces_when: Callable[[State, frozenset[str]], frozenset[str]] | None = None
    volatile: Callable[[State, frozenset[str]], frozenset[str]] | None = None

    def properties(self) -> dict[str, Property]:
        """Every input, also those that all types share."""
        shared: dict[str, Property] = {}
        if self.retag is not None:
            shared["tags"] = Property(MapOf(Scalar.STRING), rule=_tags_rule)
        if self.regional:
            shared["region"] = Property(Scalar.STRING, replaces=True, computed=True)
        return dict(self.inputs) | shared

    def results(self) -> dict[str, Type]:
        """Every output that is not an input."""
        fixed = {name: _SCALARS[type(value)] for name, value in self.fixed.items()}
        return dict(self.outputs) | fixed | ({"tagsAll": MapOf(Scalar.STRING)} if self.retag is not None else {})


_SCALARS = {bool: Scalar.BOOLEAN, int: Scalar.INTEGER, str: Scalar.STRING}


def _tags_rule(tags: Any) -> str | None:
    """The limits that all AWS services share: at most 50 tags, keys up to 128 characters, no key begins with `aws:`."""
    if len(tags) > 50:
        return f"{len(tags)} tags were given, AWS allows 50"
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            return f"tag key {key!r} begins with aws:, which AWS keeps for itself"
        if not 1 <= len(key) <= 128:
            return f"tag key {key[:40]!r} has {len(key)} characters, AWS allows 1 to 128"
        if isinstance(value, str) and len(value) > 256:
            return f"the value of tag {key!r} has {len(value)} characters, AWS allows 256"
    return None


def absent(value: Any) -> bool:
    """Whether a value is equivalent to no value: the official provider treats zero values so."""
    return value is None or value is False or value in ("", 0) or value == [] or value == {}
