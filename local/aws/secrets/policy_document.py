"""Whether a text is a resource policy that Secrets Manager accepts.

Owns grammar and principals. Leaves out what it allows (`public_access`, and the evaluator of `local.aws.iam`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.core import iam_evaluator

from local.aws.iam import principal_ids

Statement = dict[str, Any]

_VERSIONS = ("2012-10-17", "2008-10-17")
_DOCUMENT_KEYS = {"Version", "Id", "Statement"}
_STATEMENT_KEYS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[^:]+:[^:]+:[^:]*:[^:]*:.+")
_OPERATOR = re.compile(r"(?:(?:ForAllValues|ForAnyValue):)?(\w+?)(?:IfExists)?")
_OPERATORS = frozenset(iam_evaluator._CONDITION_OPS) | {"null"}


class MalformedPolicy(ValueError):
    """The message says which rule is broken."""


def parse(text: str) -> list[Statement]:
    """The policy's statements. Raises MalformedPolicy."""
    try:
        document = json.loads(text, object_pairs_hook=_without_repetition)
    except ValueError:
        raise MalformedPolicy("This resource policy is not valid JSON.") from None
    if not isinstance(document, dict):
        raise MalformedPolicy("This resource policy is not a JSON object.")
    _known(document, _DOCUMENT_KEYS, "The policy")
    if document.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise MalformedPolicy(f"Version must be {_VERSIONS[0]} or {_VERSIONS[1]}.")
    statements = _list(document.get("Statement"))
    if not statements:
        raise MalformedPolicy("This resource policy has no Statement.")
    for statement in statements:
        _statement(statement)
    stored(text)
    return statements


def stored(text: str) -> str:
    """The policy as it is kept: with the unique ids of its users and roles. Raises MalformedPolicy."""
    try:
        return principal_ids.bound(text)
    except principal_ids.InvalidPrincipal:
        raise _unsupported() from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _known(element: dict[str, Any], keys: set[str], what: str) -> None:
    unknown = sorted(set(element) - keys)
    if unknown:
        raise MalformedPolicy(f"{what} has an unknown element {unknown[0]}.")


def _statement(statement: Any) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicy("A Statement must be a JSON object.")
    _known(statement, _STATEMENT_KEYS, "A Statement")
    if statement.get("Effect") not in {"Allow", "Deny"}:
        raise MalformedPolicy("Effect must be Allow or Deny.")
    for name in ("Principal", "Action", "Resource"):
        if (name in statement) == (f"Not{name}" in statement):
            raise MalformedPolicy(f"A Statement needs {name} or Not{name}, and not both.")
    _words(statement, "Action", _ACTION)
    _words(statement, "Resource", _RESOURCE)
    _principal(statement.get("Principal", statement.get("NotPrincipal")))
    _condition(statement.get("Condition", {}))


def _words(statement: Statement, name: str, shape: re.Pattern[str]) -> None:
    words = _list(statement.get(name, statement.get(f"Not{name}")))
    if not words or not all(isinstance(word, str) and shape.fullmatch(word) for word in words):
        raise MalformedPolicy(f"{name} has a value that does not match the policy grammar.")


def _condition(condition: Any) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicy("Condition must be a JSON object.")
    for operator, block in condition.items():
        name = _OPERATOR.fullmatch(operator)
        if name is None or name[1].lower() not in _OPERATORS:
            raise MalformedPolicy(f"Condition has an unknown operator {operator}.")
        if not isinstance(block, dict) or not block:
            raise MalformedPolicy(f"Condition {operator} must name a key.")
        for key, value in block.items():
            if ":" not in key or not all(isinstance(item, str | bool | int) for item in _list(value)):
                raise MalformedPolicy(f"Condition {operator} has a key or a value of the wrong form.")


def _principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _unsupported()
    if not all(kind in {"AWS", "Service"} and _list(names) for kind, names in principal.items()):
        raise _unsupported()


def _unsupported() -> MalformedPolicy:
    return MalformedPolicy("This resource policy contains an unsupported principal.")
