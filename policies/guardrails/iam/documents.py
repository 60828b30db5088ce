"""Reads a policy document, as text or as a map, into statements.

Owns the grammar: single values and lists, the case of elements, the Not… elements. Leaves out what a statement means
for our secrets (`grants`). Refuses what AWS would refuse, with the reason.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, cast

from ..model import UNKNOWN
from .patterns import complete, covers, in_its_partition, matches, overlap, widest

_ELEMENTS: Final = frozenset(
    ["sid", "effect", "principal", "notprincipal", "action", "notaction", "resource", "notresource", "condition"]
)
EVERYBODY: Final = "*"


class NotADocument(Exception):
    """The text is not a policy document. The message gives the reason and holds none of the text."""


class NotKnownYet(Exception):
    """Part of the document is unknown before deployment."""


@dataclass(frozen=True)
class Condition:
    """`operator` is in lower case without its set prefix and its ``IfExists``; `key` is in lower case."""

    operator: str
    key: str
    values: tuple[str, ...]
    over: str = ""
    """``forallvalues``, ``foranyvalue`` or nothing."""
    if_exists: bool = False

    @property
    def passes_when_absent(self) -> bool:
        """Whether the condition holds for a request without the key."""
        if self.operator == "null":
            return "true" in [value.lower() for value in self.values]
        if self.over == "foranyvalue":
            return self.if_exists
        return self.if_exists or self.over == "forallvalues" or "not" in self.operator

    @property
    def demands_presence(self) -> bool:
        """Whether the condition fails for a request without the key. False for a Null condition whose value is not
        exactly false."""
        if self.operator != "null":
            return not self.passes_when_absent
        plain = not self.if_exists and self.over != "forallvalues"
        return plain and {value.lower() for value in self.values} == {"false"}


@dataclass(frozen=True)
class Statement:
    """`principals` maps a kind, such as ``AWS``, to those named; empty in an identity policy."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    but_actions: bool
    resources: tuple[str, ...]
    but_resources: bool
    principals: Mapping[str, tuple[str, ...]]
    but_principals: bool
    conditions: tuple[Condition, ...]
    place: int = field(default=1, compare=False)
    """In the document, from 1."""

    @property
    def called(self) -> str:
        return self.sid or f"statement {self.place}"

    def names(self, action: str) -> bool:
        """Whether the statement covers `action`; case does not matter."""
        asked = action.lower()
        named = any(matches(pattern, asked) for pattern in self._in_lower_case)
        return named is not self.but_actions

    @cached_property
    def _in_lower_case(self) -> tuple[str, ...]:
        return tuple(action.lower() for action in self.actions)

    def can_name(self, pattern: str) -> bool:
        """Whether the statement covers some action that the pattern matches."""
        if self.but_actions:
            return not any(action == "*" for action in self.actions)
        return any(overlap(action.lower(), pattern.lower()) for action in self.actions)

    def reaches(self, pattern: str) -> bool:
        """Whether the statement covers some resource that `pattern` matches."""
        mine = tuple(complete(resource) for resource in self.resources)
        if self.but_resources:
            return not any("${" not in resource and covers(in_its_partition(resource), pattern) for resource in mine)
        return any(overlap(widest(resource), pattern) for resource in mine)

    def on(self, key: str) -> tuple[Condition, ...]:
        return tuple(condition for condition in self.conditions if condition.key == key.lower())

    def demands(self, key: str, value: str) -> bool:
        """Whether the statement holds only if `key` is present and is exactly `value`."""
        return any(
            c.operator == "stringequals" and c.values == (value,) and not c.passes_when_absent for c in self.on(key)
        )


def read(document: Any) -> tuple[Statement, ...]:
    """Raises NotADocument and NotKnownYet."""
    if document is UNKNOWN:
        raise NotKnownYet
    return _parsed(document) if isinstance(document, str) else _statements(document)


@lru_cache(maxsize=1024)
def _parsed(document: str) -> tuple[Statement, ...]:
    """Cached, since many rules read the same documents."""
    try:
        return _statements(json.loads(document, object_pairs_hook=_once))
    except (ValueError, RecursionError):
        raise NotADocument("it is not JSON") from None


def _statements(document: Any) -> tuple[Statement, ...]:
    body = {name.lower(): value for name, value in _map(document, "the document").items()}
    statements = body.get("statement")
    listed: list[Any] = cast(list[Any], statements) if isinstance(statements, list) else [statements]
    if statements is UNKNOWN or any(one is UNKNOWN for one in listed):
        raise NotKnownYet
    if statements is None or not listed:
        raise NotADocument("it has no statement")
    return tuple(_statement(_map(one, "a statement"), place) for place, one in enumerate(listed, start=1))


def _statement(raw: Mapping[str, Any], place: int) -> Statement:
    body = {name.lower(): value for name, value in raw.items()}
    if len(body) != len(raw):
        raise NotADocument("a statement has the same element twice")
    if strange := set(body) - _ELEMENTS:
        raise NotADocument(f"a statement has {len(strange)} elements that IAM does not know")
    if body.get("effect") is UNKNOWN or body.get("sid") is UNKNOWN:
        raise NotKnownYet
    if body.get("effect") not in ("Allow", "Deny"):
        raise NotADocument("a statement's Effect is neither Allow nor Deny")
    if ("action" in body) == ("notaction" in body):
        raise NotADocument("a statement has neither or both of Action and NotAction")
    for one in ("resource", "principal"):
        if one in body and f"not{one}" in body:
            raise NotADocument("a statement has both an element and its Not… form")
    return Statement(
        sid=str(body.get("sid") or ""),
        allows=body["effect"] == "Allow",
        actions=_texts(body.get("action", body.get("notaction"))),
        but_actions="notaction" in body,
        resources=_texts(body.get("resource", body.get("notresource", []))),
        but_resources="notresource" in body,
        principals=_principals(body.get("principal", body.get("notprincipal"))),
        but_principals="notprincipal" in body,
        conditions=_conditions(body.get("condition")),
        place=place,
    )


def _principals(raw: Any) -> Mapping[str, tuple[str, ...]]:
    if raw is None:
        return {}
    if raw is UNKNOWN:
        raise NotKnownYet
    if isinstance(raw, str):
        return {EVERYBODY: (raw,)}
    return {kind: _texts(named) for kind, named in _map(raw, "a Principal").items()}


def _conditions(raw: Any) -> tuple[Condition, ...]:
    if raw is None:
        return ()
    if raw is UNKNOWN:
        raise NotKnownYet
    return tuple(
        _condition(spelled, key, values)
        for spelled, block in _map(raw, "a Condition").items()
        for key, values in _map(block, "a condition").items()
    )


def _condition(spelled: str, key: str, values: Any) -> Condition:
    over, _, operator = spelled.lower().rpartition(":")
    return Condition(
        operator=operator.removesuffix("ifexists"),
        key=key.lower(),
        values=_texts(values),
        over=over,
        if_exists=operator.endswith("ifexists"),
    )


def _texts(raw: Any) -> tuple[str, ...]:
    listed: list[Any] = cast(list[Any], raw) if isinstance(raw, list) else [raw]
    if raw is UNKNOWN or any(one is UNKNOWN for one in listed):
        raise NotKnownYet
    if not all(isinstance(one, str | bool | int | float) for one in listed):
        raise NotADocument("an element holds a value that is not text")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in listed)


def _map(raw: Any, what: str) -> Mapping[str, Any]:
    if raw is UNKNOWN:
        raise NotKnownYet
    if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in cast(Mapping[Any, Any], raw)):
        raise NotADocument(f"{what} is not a map of names")
    return cast(Mapping[str, Any], raw)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # IAM refuses it too.
        raise NotADocument("an element occurs twice")
    return found
