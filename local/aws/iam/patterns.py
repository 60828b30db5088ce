"""Expands a policy's wildcards and policy variables for one request.

Owns ``*``, ``?``, ``${key}``, ``${key, 'default'}`` and the escapes ``${*}``, ``${?}``, ``${$}``. Leaves out which
elements allow them. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

Keys = Mapping[str, str | tuple[str, ...]]
"""A request's context: lower-case condition key to its value, or to its values when the key holds several."""

_TOKEN: Final = re.compile(r"\$\{(?P<inside>[^}]*)\}|(?P<wild>[*?])")
_VARIABLE: Final = re.compile(r"\s*(?P<key>[^,]+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?")
_WILD: Final = {"*": ".*", "?": "."}


def compiled(text: str, keys: Keys, *, variables: bool, wildcards: bool) -> re.Pattern[str] | None:
    """A pattern for the whole of a value, or None when a variable has no value.

    A variable whose key is absent or holds several values is null, and nothing is equal to or like null. What a
    variable is replaced by is literal text: a ``*`` in a tag's value matches a ``*``.
    """
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(re.escape(text[end : token.start()]))
        end = token.end()
        if token["wild"]:
            parts.append(_WILD[token["wild"]] if wildcards else re.escape(token["wild"]))
        elif not variables:
            # Without variables the braces are text, and wildcards between them stay wildcards.
            parts.append("".join(_literal(c, wildcards) for c in token[0]))
        else:
            value = _value(token["inside"], keys)
            if value is None:
                return None
            parts.append(re.escape(value))
    parts.append(re.escape(text[end:]))
    return _compile("".join(parts))


def _literal(character: str, wildcards: bool) -> str:
    return _WILD[character] if wildcards and character in _WILD else re.escape(character)


def _value(inside: str, keys: Keys) -> str | None:
    if inside in ("*", "?", "$"):
        return inside
    variable = _VARIABLE.fullmatch(inside)
    if variable is None:
        return None
    value = keys.get(variable["key"].lower())
    return value if isinstance(value, str) and value else variable["default"]


@lru_cache(maxsize=8192)
def _compile(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


@lru_cache(maxsize=8192)
def matches_action(action: str, pattern: str) -> bool:
    """Actions match whatever their case; they hold wildcards and no variables."""
    found = compiled(pattern.lower(), {}, variables=False, wildcards=True)
    return found is not None and found.fullmatch(action.lower()) is not None


def matches_arn(arn: str, pattern: str, keys: Keys, *, variables: bool) -> bool:
    """Matches an ARN's six parts one by one, so that a wildcard never reaches from one into the next.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    theirs, ours = arn.split(":", 5), _split_pattern(pattern)
    if len(theirs) != 6 or len(ours) != 6:
        return False
    for part, part_pattern in zip(theirs, ours, strict=True):
        found = compiled(part_pattern, keys, variables=variables, wildcards=True)
        if found is None or found.fullmatch(part) is None:
            return False
    return True


@lru_cache(maxsize=8192)
def _split_pattern(pattern: str) -> tuple[str, ...]:
    """Splits at the first five colons that stand outside ``${…}``: a variable's name holds colons itself."""
    parts: list[str] = []
    start = depth = 0
    for position, character in enumerate(pattern):
        if character == "{" and position and pattern[position - 1] == "$":
            depth = 1
        elif character == "}":
            depth = 0
        elif character == ":" and not depth and len(parts) < 5:
            parts.append(pattern[start:position])
            start = position + 1
    return (*parts, pattern[start:])
