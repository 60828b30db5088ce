"""Whether two JSON documents are equivalent for AWS, although their texts differ.

AWS returns policies normalised: reordered, one-item lists as single values, principals as ARNs. Owns this equivalence,
so that the normalised form does not count as a change. Leaves out validation: AWS reports malformed documents itself.
Rules: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from typing import Any

_ACCOUNT = re.compile(r"\d{12}")
_ACCOUNT_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")
_ONE_OR_MANY = {"Action", "NotAction", "Resource", "NotResource"}
_PRINCIPALS = {"Principal", "NotPrincipal"}


def document_text(document: Any) -> str:
    """`document` as text: IAM sends it URL-encoded, and botocore decodes it to an object."""
    return document if isinstance(document, str) else json.dumps(document)


def same_json(old: Any, new: Any) -> bool:
    """Whether two texts contain the same JSON value. Ignores spacing and the order of keys."""
    return _compare(old, new, lambda document: document)


def same_policy(old: Any, new: Any) -> bool:
    """Whether two policy documents are equivalent."""
    return _compare(old, new, _policy)


def _compare(old: Any, new: Any, normal: Any) -> bool:
    if old == new:
        return True
    try:
        return normal(json.loads(old)) == normal(json.loads(new))
    except (TypeError, ValueError):
        return False


def _policy(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    fields: dict[str, Any] = dict(document)
    statements = fields.pop("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    normal = [_statement(statement) for statement in statements]
    return fields | {"Statement": sorted(normal, key=lambda statement: json.dumps(statement, sort_keys=True))}


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    normal: dict[str, Any] = {}
    for name, value in statement.items():
        if name in _ONE_OR_MANY:
            # Actions are case-insensitive, resources are case-sensitive.
            items = _many(value)
            normal[name] = sorted({item.lower() for item in items} if name.endswith("Action") else set(items))
        elif name in _PRINCIPALS:
            normal[name] = _principal(value)
        elif name == "Condition" and isinstance(value, dict):
            normal[name] = {test: _condition(keys) for test, keys in value.items()}
        elif value != "":
            normal[name] = value
    return normal


def _principal(value: Any) -> Any:
    if value == "*":
        return {"AWS": ["*"]}
    if not isinstance(value, dict):
        return value
    return {kind: sorted({_account(item) for item in _many(who)}) for kind, who in value.items()}


def _account(principal: str) -> str:
    """Replaces the ARN of an account's root by the account id: both are the same principal."""
    if _ACCOUNT.fullmatch(principal):
        return principal
    root = _ACCOUNT_ROOT.fullmatch(principal)
    return root.group(1) if root else principal


def _condition(keys: Any) -> Any:
    if not isinstance(keys, dict):
        return keys
    return {key.lower(): sorted({_text(item) for item in _many(values)}) for key, values in keys.items()}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
