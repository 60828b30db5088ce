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
from typing import Any, Final

from isolation.terms import CannotJudgeError, Term

_ELEMENTS: Final = frozenset(
    ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
)


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
        raise CannotJudgeError(f"{name} is not JSON") from None
    if not isinstance(read, dict):
        raise CannotJudgeError(f"{name} is not a JSON object")
    found: dict[str, Any] = read  # pyright: ignore[reportUnknownVariableType]
    raw = found.get("Statement", [])
    statements: Sequence[Any] = raw if isinstance(raw, list) else [raw]
    variables = found.get("Version") == "2012-10-17"
    return tuple(_statement(name, number, one, variables) for number, one in enumerate(statements, start=1))


def _statement(name: str, number: int, raw: Mapping[str, Any], variables: bool) -> Statement:
    unknown = set(raw) - _ELEMENTS
    if unknown or raw.get("Effect") not in ("Allow", "Deny"):
        raise CannotJudgeError(
            f"{name}, statement {number}: {', '.join(sorted(unknown)) or 'Effect'} is not understood"
        )
    if "NotPrincipal" in raw:
        raise CannotJudgeError(
            f"{name}, statement {number}: NotPrincipal is not modelled; name principals by condition"
        )
    return Statement(
        label=f"{name}: {raw.get('Sid') or f'statement {number}'}",
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
            for operator, block in raw.get("Condition", {}).items()
            for key, values in block.items()
        ),
        variables=variables,
    )


def _texts(value: Any) -> tuple[str, ...]:
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in values)


def _principals(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return tuple(("AWS", name) for name in _texts(value))
    kinds: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    return tuple((kind, name) for kind, names in kinds.items() for name in _texts(names))
