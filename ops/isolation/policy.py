"""A policy document as statements.

Owns reading the JSON, strictly: an element that is not understood is an error, never left out. Leaves out what a
statement means for a request (`matching`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from ops.isolation.terms import CannotJudgeError, Term

_ELEMENTS: Final = frozenset(
    ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
)


_GRAMMAR: Final = "write it as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html says"


@dataclass(frozen=True)
class Condition:
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. `principals` are (kind, name) pairs; None where the document has no such element."""

    label: str
    """For a person: the policy's name and the statement's Sid or position."""
    allow: bool
    actions: tuple[str, ...]
    actions_excluded: bool
    resources: tuple[str, ...] | None
    resources_excluded: bool
    principals: tuple[tuple[str, str], ...] | None
    conditions: tuple[Condition, ...]
    variables: bool


@dataclass(frozen=True)
class Policy:
    """`owner` is the tenant that a generalized document speaks of: a z3 string, or None."""

    statements: tuple[Statement, ...]
    owner: Term | None = None


def parse(name: str, document: str, owner: Term | None = None) -> Policy:
    """Raises CannotJudgeError for what is not a policy, or holds an element unknown here."""
    return Policy(_statements(name, document), owner)


@lru_cache(maxsize=1024)
def _statements(name: str, document: str) -> tuple[Statement, ...]:
    try:
        read: Any = json.loads(document)
    except ValueError:
        raise CannotJudgeError("it is not JSON", _GRAMMAR, name) from None
    found = _mapping(read, "the document", name)
    raw = found.get("Statement", [])
    statements: Sequence[Any] = raw if isinstance(raw, list) else [raw]
    variables = found.get("Version") == "2012-10-17"
    return tuple(_labelled(name, number, one, variables) for number, one in enumerate(statements, start=1))


def _labelled(name: str, number: int, raw: Any, variables: bool) -> Statement:
    sid = raw.get("Sid") if isinstance(raw, Mapping) else None
    label = f"{name}: {sid or f'statement {number}'}"
    return _statement(label, _mapping(raw, "a statement", label), variables)


def _mapping(value: Any, what: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CannotJudgeError(f"{what} is no JSON object", _GRAMMAR, where)
    return cast(Mapping[str, Any], value)


def _statement(label: str, raw: Mapping[str, Any], variables: bool) -> Statement:
    unknown = set(raw) - _ELEMENTS
    if unknown:
        elements = ", ".join(f"`{one}`" for one in sorted(unknown))
        raise CannotJudgeError(f"{elements} is no element of a statement that the model knows", _GRAMMAR, label)
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise CannotJudgeError("its `Effect` is neither Allow nor Deny", "write one of the two", label)
    if "NotPrincipal" in raw:
        way_out = "write `Principal: *` and name those who are left out by `StringNotEquals: aws:PrincipalArn`"
        raise CannotJudgeError("the model has no `NotPrincipal`", way_out, label)
    return Statement(
        label=label,
        allow=raw["Effect"] == "Allow",
        actions=_texts(raw.get("Action", raw.get("NotAction", []))),
        actions_excluded="NotAction" in raw,
        resources=_texts(raw.get("Resource", raw.get("NotResource")))
        if {"Resource", "NotResource"} & set(raw)
        else None,
        resources_excluded="NotResource" in raw,
        principals=_principals(raw["Principal"]) if "Principal" in raw else None,
        conditions=tuple(
            Condition(operator, key, _texts(values))
            for operator, block in _mapping(raw.get("Condition", {}), "its `Condition`", label).items()
            for key, values in _mapping(block, f"its condition `{operator}`", label).items()
        ),
        variables=variables,
    )


def _texts(value: Any) -> tuple[str, ...]:
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in values)


def _principals(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return tuple(("AWS", name) for name in _texts(value))
    kinds: Mapping[str, Any] = value
    return tuple((kind, name) for kind, names in kinds.items() for name in _texts(names))
