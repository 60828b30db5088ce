"""What the parts of a CEL expression are worth: equality, order, logic, paths, and a scalar as OpenAI compares it.

Leaves out how they are written (`cel`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

Expression = Callable[[Mapping[str, Any]], Any]
"""From the verified claims to a value. Raises Failed."""


COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Failed(Exception):
    """The expression has no value for these claims: a claim is missing, or has another type."""


def joined(left: Expression, right: Expression, *, wins: bool) -> Expression:
    """`||` where true wins, `&&` where false does: then the other side may fail, whichever it is."""

    def value(claims: Mapping[str, Any]) -> bool:
        try:
            first = truth(left(claims))
        except Failed:
            if truth(right(claims)) is wins:
                return wins
            raise
        return first if first is wins else truth(right(claims))

    return value


def compared(left: Expression, right: Expression, sign: str) -> Expression:
    def value(claims: Mapping[str, Any]) -> bool:
        one, other = left(claims), right(claims)
        if sign in ("==", "!="):
            return (_kind(one) == _kind(other) and one == other) == (sign == "==")
        if _kind(one) != _kind(other) or _kind(one) not in ("number", "str", "bool"):
            raise Failed(f"{sign} compares two values of one type")
        return COMPARISONS[sign](one, other)

    return value


def within(left: Expression, right: Expression) -> Expression:
    def value(claims: Mapping[str, Any]) -> bool:
        one, held = left(claims), right(claims)
        if not isinstance(held, (list, dict)):
            raise Failed("'in' asks a list or an object")
        return any(_kind(one) == _kind(item) and one == item for item in held)

    return value


def added(left: Expression, right: Expression) -> Expression:
    def value(claims: Mapping[str, Any]) -> Any:
        one, other = left(claims), right(claims)
        if type(one) is not type(other) or isinstance(one, bool) or not isinstance(one, (str, int, float, list)):
            raise Failed("+ joins two texts, two lists or two numbers of one type")
        return one + other

    return value


def indexed(operand: Expression, index: Expression) -> Expression:
    return lambda claims: item(operand(claims), index(claims))


def item(held: Any, index: Any) -> Any:
    if isinstance(held, dict) and isinstance(index, str) and index in held:
        return held[index]
    if isinstance(held, list) and type(index) is int and 0 <= index < len(held):
        return held[index]
    raise Failed(f"there is no {index!r}")


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Failed("true or false was expected")
    return value


def text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise Failed("a text was expected")
    return value


def size(value: Any) -> int:
    if not isinstance(value, (str, list, dict)):
        raise Failed("only texts, lists and objects have a size")
    return len(value)


def _kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def scalar(value: Any) -> str:
    """A scalar as OpenAI compares it: ``true``, ``7``. Raises Failed for null, lists, objects and infinite numbers."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        raise Failed("the number is not finite")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Failed("the result is not a text, a boolean or a number")
