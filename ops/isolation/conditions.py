"""Whether a request meets a statement's conditions, as a formula.

Owns absent keys, several values, set operators, ``…IfExists`` and ``Null``. A key that is not in
the request may have any value, so a proof holds for every value. An unknown operator on a known key is an error.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import z3

from ops.isolation.policy import Condition, Statement
from ops.isolation.terms import (
    FALSE,
    TRUE,
    CannotJudgeError,
    Formula,
    Key,
    Keys,
    Term,
    Text,
    all_of,
    any_of,
    known_text,
    matches,
)

_FOR_ALL, _FOR_ANY, _IF_EXISTS = "forallvalues:", "foranyvalue:", "ifexists"

Compare = Callable[[Text, str, Keys, Term | None, bool], Formula]


def _equal(value: Text, expected: str, keys: Keys, owner: Term | None, variables: bool) -> Formula:
    return matches(expected, value.term, keys, owner, wildcards=False, variables=variables)


def _like(value: Text, expected: str, keys: Keys, owner: Term | None, variables: bool) -> Formula:
    return matches(expected, value.term, keys, owner, variables=variables)


def _number(relation: Callable[[Any, Any], Any]) -> Compare:
    """Of whole numbers; a text that is none matches nothing."""

    def compare(value: Text, expected: str, keys: Keys, owner: Term | None, variables: bool) -> Formula:
        del keys, owner, variables
        if not (expected.isascii() and expected.isdigit()):
            raise CannotJudgeError(f"`{expected}` is no whole number", "write one")
        known = known_text(value.term)
        if known is None:
            number = z3.StrToInt(value.term)
            return z3.And(number >= 0, relation(number, z3.IntVal(int(expected))))
        return TRUE if known.isdigit() and relation(int(known), int(expected)) else FALSE

    return compare


def _date(relation: Callable[[Any, Any], Any]) -> Compare:
    """Of a known time: in proofs no request has one."""

    def compare(value: Text, expected: str, keys: Keys, owner: Term | None, variables: bool) -> Formula:
        del keys, owner, variables
        known = known_text(value.term)
        try:
            return TRUE if relation(datetime.fromisoformat(str(known)), datetime.fromisoformat(expected)) else FALSE
        except (ValueError, TypeError):
            raise CannotJudgeError(
                f"`{expected}` and `{known}` are not two times", "write one such as 2026-11-30T22:00:00Z"
            ) from None

    return compare


def like_arn(value: Text, expected: str, keys: Keys, owner: Term | None, variables: bool) -> Formula:
    """Part by part, so that a wildcard never reaches from one part of the ARN into the next."""
    if value.parts is None:
        return _like(value, expected, keys, owner, variables)
    wanted = _split(expected)
    if len(wanted) != len(value.parts):
        return FALSE
    return all_of(
        [
            matches(pattern, part, keys, owner, variables=variables)
            for pattern, part in zip(wanted, value.parts, strict=True)
        ]
    )


def _split(pattern: str) -> list[str]:
    """At the first five colons outside ``${…}``: a variable's name holds colons itself."""
    parts, start, depth = [], 0, 0
    found: list[str] = parts
    for position, character in enumerate(pattern):
        if pattern.startswith("${", position):
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        elif character == ":" and not depth and len(found) < 5:
            found.append(pattern[start:position])
            start = position + 1
    return [*found, pattern[start:]]


@dataclass(frozen=True)
class _Operator:
    compare: Compare
    negated: bool = False


_OPERATORS: Final = {
    "stringequals": _Operator(_equal),
    "stringnotequals": _Operator(_equal, negated=True),
    "stringlike": _Operator(_like),
    "stringnotlike": _Operator(_like, negated=True),
    "arnequals": _Operator(like_arn),
    "arnlike": _Operator(like_arn),
    "arnnotequals": _Operator(like_arn, negated=True),
    "arnnotlike": _Operator(like_arn, negated=True),
    "bool": _Operator(_equal),
    "numericequals": _Operator(_number(operator.eq)),
    "numericlessthan": _Operator(_number(operator.lt)),
    "numericlessthanequals": _Operator(_number(operator.le)),
    "numericgreaterthan": _Operator(_number(operator.gt)),
    "numericgreaterthanequals": _Operator(_number(operator.ge)),
    "datelessthan": _Operator(_date(operator.lt)),
    "datelessthanequals": _Operator(_date(operator.le)),
    "dategreaterthan": _Operator(_date(operator.gt)),
    "dategreaterthanequals": _Operator(_date(operator.ge)),
}
_SPELLED: Final = ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "their negations", "Bool", "Numeric…", "Date…")
_OTHERS: Final = ("numeric", "date", "binaryequals", "ipaddress", "notipaddress", "string", "arn")
"""How AWS's other operators begin: of a key that may hold anything they may hold too, or not."""


def satisfied(statement: Statement, keys: Keys, owner: Term | None) -> Formula:
    return all_of([_holds(condition, statement, keys, owner) for condition in statement.conditions])


def _holds(condition: Condition, statement: Statement, keys: Keys, owner: Term | None) -> Formula:
    name = condition.operator.lower()
    key = keys.get(condition.key.lower())
    plain = name.removeprefix(_FOR_ALL).removeprefix(_FOR_ANY)
    known = plain == "null" or plain.removesuffix(_IF_EXISTS) in _OPERATORS
    if not known and (key is not None or not plain.removesuffix(_IF_EXISTS).startswith(_OTHERS)):
        raise CannotJudgeError(
            f"the model has no operator `{condition.operator}` for `{condition.key}`",
            f"compare by {', '.join(_SPELLED)} or Null, or add the operator to ops/isolation/conditions.py",
            statement.label,
        )
    if key is None or not known:
        return z3.Bool(f"{condition.operator} {condition.key} {condition.values} of {statement.label}")
    if plain == "null":
        return any_of([z3.Not(key.present) if wanted.lower() == "true" else key.present for wanted in condition.values])
    used = _OPERATORS[plain.removesuffix(_IF_EXISTS)]

    def one(value: Text) -> Formula:
        hit = any_of([used.compare(value, w, keys, owner, statement.variables) for w in condition.values])
        return z3.Not(hit) if used.negated else hit

    if name.startswith(_FOR_ALL):
        # True of no values at all.
        return all_of([z3.Implies(there, one(value)) for there, value in key.values])
    if name.startswith(_FOR_ANY):
        return any_of([z3.And(there, one(value)) for there, value in key.values])
    absent = TRUE if plain.endswith(_IF_EXISTS) or used.negated else FALSE
    return z3.If(key.present, _only(key, one), absent)


def _only(key: Key, one: Callable[[Text], Formula]) -> Formula:
    """Without a set operator a key that holds several values matches nothing."""
    several = [
        z3.And(there, other)
        for position, (there, _) in enumerate(key.values)
        for other, _ in key.values[position + 1 :]
    ]
    return z3.And(z3.Not(any_of(several)), *[z3.Implies(there, one(value)) for there, value in key.values])
