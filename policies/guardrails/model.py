"""What a rule is, what it looks at, and what it says.

Owns the shapes. Leaves out the rules and who asks them. Findings name places, never values: a value may be a key.
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
    """The type of UNKNOWN alone."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Stands for a value that only a deployment will tell."""

BEFORE_DEPLOYMENT: Final = "cannot be judged before deployment"


def whole(value: Any) -> Any:
    """A whole number as one: protobuf, by which every form of a resource comes, has floating point alone."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True)
class Archive:
    """Files that a resource is given. `path` or `uri` is where they come from, where that is shown; `parts` is what an
    archive is put together of, by name: an asset's text, or another archive."""

    path: str = ""
    uri: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Resource:
    """A resource as it is asked for. `properties` has the provider's own names; what comes out of another resource and
    is not known yet is UNKNOWN, and `property_dependencies` says which resources it comes from. Archives are `Archive`;
    an asset is its text, or the path or address of its file."""

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    parent: str = ""
    protect: bool = False
    dependencies: frozenset[str] = frozenset()
    property_dependencies: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def get(self, *path: str) -> Any:
        """The value at `path`; None where there is none, UNKNOWN where it or what holds it is unknown."""
        value: Any = self.properties
        for step in path:
            if value is UNKNOWN:
                return UNKNOWN
            if not isinstance(value, Mapping):
                return None
            value = cast(Mapping[str, Any], value).get(step)
        return value

    def text(self, *path: str) -> str:
        """The text at `path`, or the empty one: for asking what a resource is called, not for judging it."""
        value = self.get(*path)
        return value if isinstance(value, str) else ""

    def number(self, *path: str) -> float | None:
        value = self.get(*path)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


Stack = Sequence[Resource]


@dataclass(frozen=True)
class Finding:
    """`rule` is the rule's name; `path` is the property's, dotted, empty where the resource as a whole is meant."""

    rule: str
    urn: str
    path: str
    message: str
    kind: Kind = "violation"


@dataclass(frozen=True)
class Rule:
    """`rationale` says what an attacker could do. `settings` names the fields of Config that the rule reads.

    A rule of scope `resource` looks at each resource by itself, so that at an update it speaks before that resource is
    made; one of scope `stack` needs to see what belongs together.
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
    """What a check yields; the judge writes the rule's name into it."""
    return Finding("", resource.urn, path, message)


def unknown(resource: Resource, path: str) -> Finding:
    return Finding("", resource.urn, path, BEFORE_DEPLOYMENT, "unknown")
