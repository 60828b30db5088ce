"""Whether a request meets a statement's Condition element.

Conditions are joined by and, the values of one by or (by nor when negated).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Iterable

from local.aws.iam.operators import OPERATORS, Operator
from local.aws.iam.patterns import Keys
from local.aws.iam.policy import Condition

_FOR_ALL = "forallvalues:"
_FOR_ANY = "foranyvalue:"
_IF_EXISTS = "ifexists"


def known(operator: str) -> bool:
    """Whether IAM has a condition operator of this name."""
    name = operator.lower().removeprefix(_FOR_ALL).removeprefix(_FOR_ANY)
    return name == "null" or name.removesuffix(_IF_EXISTS) in OPERATORS


def satisfied(conditions: Iterable[Condition], keys: Keys, *, variables: bool) -> bool:
    return all(_holds(condition, keys, variables) for condition in conditions)


def _holds(condition: Condition, keys: Keys, variables: bool) -> bool:
    name = condition.operator.lower()
    actual = keys.get(condition.key.lower())
    if name.removeprefix(_FOR_ALL).removeprefix(_FOR_ANY) == "null":
        return any(value.lower() == str(actual is None).lower() for value in condition.values)
    if_exists = name.endswith(_IF_EXISTS)
    name = name.removesuffix(_IF_EXISTS)
    operator = OPERATORS.get(name.removeprefix(_FOR_ALL).removeprefix(_FOR_ANY))
    if operator is None:
        return False
    values = () if actual is None else (actual,) if isinstance(actual, str) else actual
    if name.startswith(_FOR_ALL):
        # True of no values at all: pair it with Null or an exact test where an absent key must not pass.
        return all(_one(operator, value, condition, keys, variables) for value in values)
    if name.startswith(_FOR_ANY):
        # False of no values at all, IfExists or not.
        return any(_one(operator, value, condition, keys, variables) for value in values)
    if not values:
        return if_exists or operator.negated
    # A key with several values needs a set operator; without one nothing matches.
    return len(values) == 1 and _one(operator, values[0], condition, keys, variables)


def _one(operator: Operator, actual: str, condition: Condition, keys: Keys, variables: bool) -> bool:
    """One value of the request. A null value of the policy equals nothing, so a negated operator holds against it."""
    hit = any(operator.compare(actual, expected, keys, variables) for expected in condition.values)
    return hit != operator.negated
