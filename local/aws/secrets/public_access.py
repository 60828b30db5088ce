"""Whether a resource policy makes a secret public.

A policy is public unless each statement that allows everybody has a condition that requires fixed values of a key of
the caller. AWS's automated reasoning finds more policies not public, for example if a Deny restricts an Allow; here
they count as public.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

Statement = dict[str, Any]

_STRING_KEYS = {
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "aws:principalarn",
    "aws:sourcearn",
}
_ARN_KEYS = {"aws:principalarn", "aws:sourcearn"}
_STRING_OPERATORS = {"stringequals", "stringequalsignorecase", "stringlike"}
_ARN_OPERATORS = {"arnequals", "arnlike"}
_BROADEST = {4: 8, 6: 32}
"""Address ranges wider than these prefixes count as public."""


def is_public(statements: Sequence[Statement]) -> bool:
    return any(
        statement["Effect"] == "Allow" and _names_everybody(statement) and not _is_bounded(statement)
        for statement in statements
    )


def _names_everybody(statement: Statement) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement["Principal"]
    return principal == "*" or "*" in _list(principal.get("AWS"))


def _is_bounded(statement: Statement) -> bool:
    """One sufficient condition is enough: further conditions only restrict more."""
    return any(
        bool(values) and all(_is_fixed(operator.lower(), key.lower(), str(value)) for value in values)
        for operator, block in statement.get("Condition", {}).items()
        for key, value in block.items()
        for values in [_list(value)]
    )


def _is_fixed(operator: str, key: str, value: str) -> bool:
    # …IfExists and ForAllValues are also true for a caller without the key, so they restrict nobody.
    operator = operator.removeprefix("foranyvalue:")
    if "${" in value:
        return False
    if operator == "ipaddress" and key == "aws:sourceip":
        return _is_narrow(value)
    if key in _ARN_KEYS and operator in _STRING_OPERATORS | _ARN_OPERATORS:
        # A pattern within one account is still a restriction.
        return re.match(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:", value) is not None
    if key in _STRING_KEYS and operator in _STRING_OPERATORS:
        return bool(value) and not re.search(r"[*?]", value)
    return False


def _is_narrow(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= _BROADEST[network.version]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
