"""Rules, resources and findings.

Owns these types. Leaves out the rules and who applies them. A finding names a property, never a value, which may be a
key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from .config import Config

Severity = Literal["low", "medium", "high", "critical"]
Level = Literal["mandatory", "advisory", "disabled"]
Kind = Literal["violation", "unknown"]
Scope = Literal["resource", "stack"]


class Unknown:
    """The type of UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""A value that is known only after deployment."""

BEFORE_DEPLOYMENT: Final = "cannot be judged before deployment"


def whole(value: Any) -> Any:
    """A whole number as int: protobuf, which transports resources, has only floating point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class Archive:
    """A Pulumi archive. `path` or `uri` is its source, if shown; `parts` are its members by name: an asset's text, or
    another archive."""

    path: str = ""
    uri: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Resource:
    """A resource's inputs. `properties` has the provider's names; what is not known yet is UNKNOWN, and
    `property_dependencies` holds the URNs of the resources that it comes from, if it comes from any. Archives are
    `Archive`; an asset is its text, or its path or URL. `outputs` is what is no input: a stack's exports, what a
    component says of itself, AWS's answers such as an Invocation's result. Only rules about the stack see outputs.
    `ignore_changes` are the paths in which the engine leaves what is deployed as it is."""

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    parent: str = ""
    component: bool = False
    """Whether no provider makes it: it groups other resources, or is itself a provider."""
    protect: bool = False
    dependencies: frozenset[str] = frozenset()
    property_dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ignore_changes: tuple[str, ...] = ()

    def get(self, *path: str) -> Any:
        """The value at `path`; None if there is none, UNKNOWN if it or a parent is unknown."""
        value: Any = self.properties
        for step in path:
            if value is UNKNOWN:
                return UNKNOWN
            if not isinstance(value, Mapping):
                return None
            value = cast(Mapping[str, Any], value).get(step)
        return value

    def text(self, *path: str) -> str:
        """The text at `path`, or an empty one: to identify a resource, not to judge it."""
        value = self.get(*path)
        return value if isinstance(value, str) else ""

    def number(self, *path: str) -> float | None:
        value = self.get(*path)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


Stack = Sequence[Resource]


@dataclass(frozen=True)
class Finding:
    """`rule` is the rule's name; `path` is the property's dotted path, empty for the whole resource."""

    rule: str
    urn: str
    path: str
    message: str
    kind: Kind = "violation"


@dataclass(frozen=True)
class Rule:
    """`rationale` says what an attacker could do. `settings` are the fields of Config that the rule reads.

    A rule of scope `resource` needs one resource at a time, so an update applies it before that resource is created; a
    rule of scope `stack` needs several resources.
    """

    name: str
    severity: Severity
    level: Level
    description: str
    rationale: str
    fix: str
    source: str
    check: Callable[[Stack, Config], Iterable[Finding]]
    scope: Scope = "stack"
    settings: tuple[str, ...] = ()


def violation(resource: Resource, path: str, message: str) -> Finding:
    """A finding of a check; `judge` adds the rule's name."""
    return Finding("", resource.urn, path, message)


def unknown(resource: Resource, path: str, message: str = BEFORE_DEPLOYMENT) -> Finding:
    return Finding("", resource.urn, path, message, "unknown")
