"""The condition operators' comparisons: one value of the request with one value of the policy.

Owns what each operator compares. Leaves out several values, absent keys and ``…IfExists`` (`conditions`).
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import ipaddress
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from local.aws.iam.patterns import Keys, compiled, matches_arn

Compare = Callable[[str, str, Keys, bool], bool | None]
"""(request's value, policy's value, context, variables on) to whether they match; None: the policy's value is null."""


@dataclass(frozen=True)
class Operator:
    compare: Compare
    negated: bool = False


def _string(*, wildcards: bool, flags: re.RegexFlag = re.NOFLAG) -> Compare:
    def compare(actual: str, expected: str, keys: Keys, variables: bool) -> bool | None:
        pattern = compiled(expected, keys, variables=variables, wildcards=wildcards)
        if pattern is None:
            return None
        return re.fullmatch(pattern.pattern, actual, re.DOTALL | flags) is not None

    return compare


def _arn(actual: str, expected: str, keys: Keys, variables: bool) -> bool | None:
    return matches_arn(actual, expected, keys, variables=variables)


def _typed(read: Callable[[str], Any], test: Callable[[Any, Any], bool]) -> Compare:
    """These operators take no variables. A value that isn't of the operator's type matches nothing."""

    def compare(actual: str, expected: str, keys: Keys, variables: bool) -> bool | None:
        del keys, variables
        try:
            return test(read(actual), read(expected))
        except ValueError:
            return None

    return compare


def _date(text: str) -> datetime:
    """ISO 8601, or seconds since the epoch."""
    if text.replace(".", "", 1).isdigit() and "-" not in text:
        return datetime.fromtimestamp(float(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _boolean(text: str) -> bool:
    folded = text.lower()
    if folded not in ("true", "false"):
        raise ValueError(text)
    return folded == "true"


def _address(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


def _within(actual: Any, expected: Any) -> bool:
    return actual.version == expected.version and actual.subnet_of(expected)


_STRING_EQUALS = _string(wildcards=False)
_STRING_EQUALS_ANY_CASE = _string(wildcards=False, flags=re.IGNORECASE)
_STRING_LIKE = _string(wildcards=True)
_ADDRESS = _typed(_address, _within)
_NUMBER_EQUALS = _typed(float, operator.eq)
_DATE_EQUALS = _typed(_date, operator.eq)

OPERATORS: Final[dict[str, Operator]] = {
    "stringequals": Operator(_STRING_EQUALS),
    "stringnotequals": Operator(_STRING_EQUALS, negated=True),
    "stringequalsignorecase": Operator(_STRING_EQUALS_ANY_CASE),
    "stringnotequalsignorecase": Operator(_STRING_EQUALS_ANY_CASE, negated=True),
    "stringlike": Operator(_STRING_LIKE),
    "stringnotlike": Operator(_STRING_LIKE, negated=True),
    # ArnEquals and ArnLike behave identically.
    "arnequals": Operator(_arn),
    "arnlike": Operator(_arn),
    "arnnotequals": Operator(_arn, negated=True),
    "arnnotlike": Operator(_arn, negated=True),
    "numericequals": Operator(_NUMBER_EQUALS),
    "numericnotequals": Operator(_NUMBER_EQUALS, negated=True),
    "numericlessthan": Operator(_typed(float, operator.lt)),
    "numericlessthanequals": Operator(_typed(float, operator.le)),
    "numericgreaterthan": Operator(_typed(float, operator.gt)),
    "numericgreaterthanequals": Operator(_typed(float, operator.ge)),
    "dateequals": Operator(_DATE_EQUALS),
    "datenotequals": Operator(_DATE_EQUALS, negated=True),
    "datelessthan": Operator(_typed(_date, operator.lt)),
    "datelessthanequals": Operator(_typed(_date, operator.le)),
    "dategreaterthan": Operator(_typed(_date, operator.gt)),
    "dategreaterthanequals": Operator(_typed(_date, operator.ge)),
    "bool": Operator(_typed(_boolean, operator.eq)),
    "ipaddress": Operator(_ADDRESS),
    "notipaddress": Operator(_ADDRESS, negated=True),
    "binaryequals": Operator(_typed(partial(base64.b64decode, validate=True), operator.eq)),
}
"""By lower-case name, without a set operator in front or ``IfExists`` behind. `Null` asks for presence, not for a
value, and is not here."""
