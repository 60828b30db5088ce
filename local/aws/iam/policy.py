"""A policy document as statements that can be matched.

Owns reading the JSON. Leaves out matching (`statements`) and the grammar that IAM checks when a policy is stored.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

VERSION_WITH_VARIABLES: Final = "2012-10-17"

Principals = tuple[tuple[str, tuple[str, ...]], ...]
"""By kind, ``AWS``, ``Service`` or ``Federated``; the bare ``"*"`` reads as ``AWS: *``."""


class MalformedPolicy(ValueError):
    """A stored policy cannot be read. It allows nothing."""


@dataclass(frozen=True)
class Condition:
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement. An element that the document leaves out is None."""

    effect: str
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: Principals | None
    not_principals: Principals | None
    conditions: tuple[Condition, ...]
    variables: bool
    """Whether ``${…}`` is a variable: only in version 2012-10-17; in the default 2008-10-17 it is plain text."""


Policy = tuple[Statement, ...]


def parse(document: str | dict[str, Any] | None) -> Policy:
    """The statements of a document. An absent or empty one has none. Raises MalformedPolicy."""
    if not document:
        return ()
    return _parse(document if isinstance(document, str) else json.dumps(document))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Policy:
    try:
        document: Any = json.loads(text)
    except ValueError:
        raise MalformedPolicy(f"a policy is not JSON: {text[:80]!r}") from None
    if not isinstance(document, dict):
        raise MalformedPolicy(f"a policy is not a JSON object: {text[:80]!r}")
    variables = document.get("Version") == VERSION_WITH_VARIABLES
    return tuple(_statement(s, variables) for s in listed(document.get("Statement", [])))


def _statement(raw: Any, variables: bool) -> Statement:
    if not isinstance(raw, dict) or raw.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(f"a statement has no Effect of Allow or Deny: {str(raw)[:80]}")
    return Statement(
        effect=raw["Effect"],
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        principals=_principals(raw.get("Principal")),
        not_principals=_principals(raw.get("NotPrincipal")),
        conditions=tuple(
            Condition(operator, key, _texts(values) or ())
            for operator, block in (raw.get("Condition") or {}).items()
            for key, values in block.items()
        ),
        variables=variables,
    )


def listed(value: Any) -> list[Any]:
    """An element of a policy that may stand alone in place of a list of one."""
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(map(_text, listed(value)))


def _text(value: Any) -> str:
    """JSON's true and numbers may stand without quotes in a condition."""
    return value if isinstance(value, str) else json.dumps(value)


def _principals(value: Any) -> Principals | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return tuple((kind, _texts(names) or ()) for kind, names in value.items())
    return (("AWS", _texts(value) or ()),)
