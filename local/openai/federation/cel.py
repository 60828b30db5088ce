"""The part of CEL that attribute transformations may use here: paths, texts, comparisons, logic and a few functions.

Owns parsing. Leaves out what the parts are worth (`cel_values`). What CEL has beyond this is refused by its name
(`NotHere`), never evaluated differently.
https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from local.openai.federation.cel_values import (
    COMPARISONS,
    Expression,
    Failed,
    added,
    compared,
    indexed,
    item,
    joined,
    scalar,
    size,
    text_of,
    truth,
    within,
)


class NotCel(ValueError):
    """The text is no CEL expression."""


class NotHere(ValueError):
    """The expression uses a part of CEL that the local cell does not evaluate."""


_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>(?:[rRbB]{1,2})?(?:\"\"\"|'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<number>0[xX][0-9a-fA-F]+[uU]?|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()\[\]{}])
    )""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"""\\([abfnrtv\\"'`?]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})""")
_ESCAPED: Final = {
    **dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True)),
    **{same: same for same in "\\\"'`?"},
}
_ROOT: Final = "assertion"
_LITERALS: Final = {"true": True, "false": False, "null": None}
_ARITHMETIC: Final = ("*", "/", "%", "-")
_NAMED: Final = ("int", "uint", "double", "bool", "bytes", "type", "dyn", "timestamp", "duration", "matches")
_ON_TEXTS: Final[dict[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}


@lru_cache(maxsize=256)
def parse(source: str) -> Expression:
    """Raises NotCel, or NotHere."""
    parser = _Parser(_tokens(source))
    try:
        found = parser.expression()
    except RecursionError:
        raise NotHere("nesting, so deep") from None
    parser.expect("end", "")

    def value(claims: Mapping[str, Any]) -> Any:
        try:
            return found(claims)
        except RecursionError:
            raise Failed("the expression is too long") from None

    return value


def _tokens(source: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while source[position:].strip():
        match = _TOKEN.match(source, position)
        if match is None or match.lastgroup is None:
            raise NotCel(f"nothing in CEL begins with {source[position:].strip()[:10]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return [*found, ("end", "")]


class _Select:
    """``operand.name``: apart, because `has` asks for it without evaluating it."""

    def __init__(self, operand: Expression, name: str) -> None:
        self._operand, self._name = operand, name

    def __call__(self, claims: Mapping[str, Any]) -> Any:
        return item(self._operand(claims), self._name)

    def present(self, claims: Mapping[str, Any]) -> bool:
        held = self._operand(claims)
        if not isinstance(held, dict):
            raise Failed(f"{self._name!r} is asked of something that is no object")
        return self._name in held


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sign(self, *signs: str) -> str | None:
        kind, value = self._tokens[self._at]
        if kind != "sign" or value not in signs:
            return None
        self._at += 1
        return value

    def expect(self, kind: str, value: str) -> None:
        found = self._next()
        if found != (kind, value):
            raise NotCel(f"{value or 'the end'!r} was expected, not {found[1] or 'the end'!r}")

    def expression(self) -> Expression:
        condition = self._either()
        if not self._sign("?"):
            return condition
        one = self._either()
        self.expect("sign", ":")
        other = self.expression()
        return lambda claims: one(claims) if truth(condition(claims)) else other(claims)

    def _either(self) -> Expression:
        found = self._both()
        while self._sign("||"):
            found = joined(found, self._both(), wins=True)
        return found

    def _both(self) -> Expression:
        found = self._relation()
        while self._sign("&&"):
            found = joined(found, self._relation(), wins=False)
        return found

    def _relation(self) -> Expression:
        found = self._sum()
        while True:
            if sign := self._sign("==", "!=", *COMPARISONS):
                found = compared(found, self._sum(), sign)
            elif self._tokens[self._at] == ("name", "in"):
                self._next()
                found = within(found, self._sum())
            else:
                return found

    def _sum(self) -> Expression:
        found = self._unary()
        while self._sign("+"):
            found = added(found, self._unary())
        if sign := self._sign(*_ARITHMETIC):
            raise NotHere(sign)
        return found

    def _unary(self) -> Expression:
        if self._sign("!"):
            inner = self._unary()
            return lambda claims: not truth(inner(claims))
        if self._sign("-"):
            raise NotHere("-")
        return self._member()

    def _member(self) -> Expression:
        found = self._primary()
        while True:
            if self._sign("."):
                kind, name = self._next()
                if kind != "name":
                    raise NotCel(f"a name was expected after the dot, not {name or 'the end'!r}")
                found = self._method(found, name) if self._sign("(") else _Select(found, name)
            elif self._sign("["):
                index = self.expression()
                self.expect("sign", "]")
                found = indexed(found, index)
            else:
                return found

    def _method(self, operand: Expression, name: str) -> Expression:
        if name not in (*_ON_TEXTS, "size"):
            raise NotHere(name)
        arguments = self._arguments(")")
        if len(arguments) != (0 if name == "size" else 1):
            raise NotCel(f"{name} has another number of arguments")
        if name == "size":
            return lambda claims: size(operand(claims))
        test, (argument,) = _ON_TEXTS[name], arguments
        return lambda claims: test(text_of(operand(claims)), text_of(argument(claims)))

    def _arguments(self, closing: str) -> list[Expression]:
        found: list[Expression] = []
        while not self._sign(closing):
            if found:
                self.expect("sign", ",")
            found.append(self.expression())
        return found

    def _primary(self) -> Expression:
        kind, value = self._next()
        if kind == "text":
            return _constant(_unquoted(value))
        if kind == "number":
            return _constant(_number(value))
        if kind == "name":
            return self._named(value)
        if value == "(":
            found = self.expression()
            self.expect("sign", ")")
            return found
        if value == "[":
            items = self._arguments("]")
            return lambda claims: [item(claims) for item in items]
        if value == "{":
            raise NotHere("{")
        raise NotCel(f"a value was expected, not {value or 'the end'!r}")

    def _named(self, name: str) -> Expression:
        if name in _LITERALS:
            return _constant(_LITERALS[name])
        if name == _ROOT:
            return lambda claims: dict(claims)
        if not self._sign("("):
            raise NotCel(f"there is no {name!r}: the claims are in {_ROOT!r}")
        if name not in ("has", "size", "string"):
            raise NotHere(name) if name in _NAMED else NotCel(f"there is no function {name!r}")
        arguments = self._arguments(")")
        if len(arguments) != 1:
            raise NotCel(f"{name} has one argument")
        (argument,) = arguments
        if name == "has":
            if not isinstance(argument, _Select):
                raise NotCel("has asks for a field, as in has(assertion.sub)")
            return argument.present
        return lambda claims: size(argument(claims)) if name == "size" else scalar(argument(claims))


def _constant(value: Any) -> Expression:
    return lambda _: value


def _unquoted(literal: str) -> str:
    if literal[0] in "rRbB":
        raise NotHere(f"{literal[0]} before a text")
    if literal.startswith(('"""', "'''")):
        raise NotHere(literal[:3])
    inner = literal[1:-1]
    if "\\" in _ESCAPE.sub("", inner):
        raise NotCel(f"the text {literal} has an escape that CEL does not have")
    return _ESCAPE.sub(
        lambda found: _ESCAPED.get(found[1]) or chr(int(found[1].lstrip("xXuU"), 8 if found[1].isdigit() else 16)),
        inner,
    )


def _number(literal: str) -> int | float:
    if literal[-1] in "uU":
        raise NotHere("u behind a number")
    if literal[:2] in ("0x", "0X"):
        return int(literal, 16)
    return int(literal) if literal.isdigit() else float(literal)
