"""Condition operators, absent keys, several values.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.iam.conditions import satisfied
from local.aws.iam.operators import OPERATORS
from local.aws.iam.patterns import Keys
from local.aws.iam.policy import Condition

KEYS: Keys = {
    "k:text": "Acme",
    "k:list": ("a", "b"),
    "k:one": ("a",),
    "k:number": "7",
    "k:date": "2026-11-22T10:00:00Z",
    "k:yes": "true",
    "k:ip": "10.1.2.3",
    "k:ip6": "2001:db8::1",
    "k:arn": "arn:aws:iam::111122223333:role/path/name",
    "k:bytes": base64.b64encode(b"bytes").decode(),
}
BYTES = base64.b64encode(b"bytes").decode()


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("StringEquals", "text", ["Acme"], True),
        ("StringEquals", "text", ["acme"], False),
        ("StringEquals", "text", ["x", "Acme"], True),
        ("StringEquals", "text", ["Ac*"], False),
        ("stringequals", "TEXT", ["Acme"], True),
        ("StringNotEquals", "text", ["x", "y"], True),
        ("StringNotEquals", "text", ["x", "Acme"], False),
        ("StringEqualsIgnoreCase", "text", ["ACME"], True),
        ("StringNotEqualsIgnoreCase", "text", ["ACME"], False),
        ("StringLike", "text", ["Ac*"], True),
        ("StringLike", "text", ["ac*"], False),
        ("StringLike", "text", ["Acm?"], True),
        ("StringNotLike", "text", ["Ac*"], False),
        # An absent key fails an affirmative operator, satisfies a negated one and every …IfExists.
        ("StringEquals", "absent", ["x"], False),
        ("StringNotEquals", "absent", ["x"], True),
        ("StringEqualsIfExists", "absent", ["x"], True),
        ("StringEqualsIfExists", "text", ["x"], False),
        ("StringNotEqualsIfExists", "text", ["Acme"], False),
        ("Bool", "absent", ["false"], False),
        ("BoolIfExists", "absent", ["false"], True),
        ("ArnNotLike", "absent", ["*"], True),
        ("NotIpAddress", "absent", ["10.0.0.0/8"], True),
        ("Null", "absent", ["true"], True),
        ("Null", "text", ["true"], False),
        ("Null", "text", ["false"], True),
        ("Null", "absent", ["false"], False),
        # Set operators: of no values at all ForAllValues is true and ForAnyValue false.
        ("ForAllValues:StringEquals", "list", ["a", "b", "c"], True),
        ("ForAllValues:StringEquals", "list", ["a"], False),
        ("ForAllValues:StringEquals", "absent", ["a"], True),
        ("ForAllValues:StringNotEquals", "list", ["a"], False),
        ("ForAllValues:StringNotEquals", "list", ["c"], True),
        ("ForAnyValue:StringEquals", "list", ["b"], True),
        ("ForAnyValue:StringEquals", "list", ["c"], False),
        ("ForAnyValue:StringEquals", "absent", ["a"], False),
        ("ForAnyValue:StringNotEquals", "list", ["a"], True),
        ("ForAnyValue:StringNotEquals", "one", ["a"], False),
        ("ForAnyValue:StringNotEquals", "absent", ["a"], False),
        ("ForAnyValue:StringEqualsIfExists", "absent", ["a"], False),
        ("ForAnyValue:StringLike", "text", ["A*"], True),
        # Several values need a set operator.
        ("StringEquals", "list", ["a"], False),
        ("StringNotEquals", "list", ["z"], False),
        ("StringEquals", "one", ["a"], True),
        ("NumericEquals", "number", ["7.0"], True),
        ("NumericNotEquals", "number", ["8"], True),
        ("NumericLessThan", "number", ["7"], False),
        ("NumericLessThanEquals", "number", ["7"], True),
        ("NumericGreaterThan", "number", ["6"], True),
        ("NumericGreaterThanEquals", "number", ["8"], False),
        ("NumericEquals", "text", ["7"], False),
        ("DateEquals", "date", ["2026-11-22T10:00:00Z"], True),
        ("DateNotEquals", "date", ["2026-11-22T10:00:00Z"], False),
        ("DateLessThan", "date", ["2026-11-23T00:00:00Z"], True),
        ("DateGreaterThan", "date", ["1763805600"], True),
        ("DateGreaterThanEquals", "date", ["2027-01-01T00:00:00Z"], False),
        ("DateLessThanEquals", "date", ["2026-11-22T10:00:00+00:00"], True),
        ("Bool", "yes", ["true"], True),
        ("Bool", "yes", ["TRUE"], True),
        ("Bool", "yes", ["false"], False),
        ("BinaryEquals", "bytes", [BYTES], True),
        ("BinaryEquals", "bytes", ["Ynk="], False),
        ("IpAddress", "ip", ["10.1.0.0/16"], True),
        ("IpAddress", "ip", ["10.1.2.3"], True),
        ("IpAddress", "ip", ["10.2.0.0/16"], False),
        ("NotIpAddress", "ip", ["10.1.0.0/16"], False),
        ("IpAddress", "ip6", ["2001:db8::/32"], True),
        ("IpAddress", "ip6", ["10.0.0.0/8"], False),
        ("ArnLike", "arn", ["arn:aws:iam::*:role/*"], True),
        ("ArnEquals", "arn", ["arn:aws:iam::111122223333:role/path/*"], True),
        ("ArnLike", "arn", ["arn:aws:iam::*/name"], False),
        ("ArnLike", "arn", ["arn:*:role/path/name"], False),
        ("ArnLike", "arn", ["arn:*"], False),
        ("ArnNotLike", "arn", ["arn:aws:iam::*:user/*"], True),
        ("ArnNotEquals", "arn", ["arn:aws:iam::111122223333:role/path/name"], False),
        ("StringResembles", "text", ["Acme"], False),
        ("StringEquals", "text", [], False),
    ],
)
def test_what_an_operator_holds_of(operator: str, key: str, values: list[str], expected: bool):
    assert satisfied([Condition(operator, f"k:{key}", tuple(values))], KEYS, variables=True) is expected


def test_all_conditions_must_hold():
    right, wrong = Condition("StringEquals", "k:text", ("Acme",)), Condition("Bool", "k:yes", ("false",))
    assert satisfied([right], KEYS, variables=True)
    assert not satisfied([right, wrong], KEYS, variables=True)


@given(st.sampled_from(sorted(OPERATORS)), st.text(max_size=20), st.text(max_size=20))
def test_a_negated_operator_is_the_opposite_of_its_own(name: str, actual: str, expected: str):
    if not OPERATORS[name].negated:
        return
    positive = name.replace("not", "", 1)
    keys: Keys = {"k": actual}
    one, other = (satisfied([Condition(n, "k", (expected,))], keys, variables=True) for n in (name, positive))
    assert one is not other, "with the key present exactly one of the two holds"
