"""What counts as the same policy document. Rules: IAM User Guide, grammar of the JSON policy language."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.provider.documents import same_json, same_policy

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:000000000000:q"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ({"Action": ["sqs:SendMessage"]}, "one item and a list of it are the same"),
        ({"Action": "SQS:sendmessage"}, "actions are matched without regard to case"),
        ({"Sid": ""}, "an empty statement id is none"),
    ],
)
def test_a_statement_in_other_words_is_the_same_policy(theirs: dict[str, Any], why: str) -> None:
    assert same_policy(policy(ALLOW), policy(ALLOW | theirs)), why


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("*", {"AWS": "*"}),
        ({"AWS": "000000000000"}, {"AWS": "arn:aws:iam::000000000000:root"}),
        (
            {"AWS": ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"]},
            {"AWS": ["arn:aws:iam::1:role/b", "arn:aws:iam::1:role/a"]},
        ),
    ],
)
def test_a_principal_as_aws_writes_it_is_no_change(ours: Any, theirs: Any) -> None:
    assert same_policy(policy(ALLOW | {"Principal": ours}), policy(ALLOW | {"Principal": theirs}))


def test_a_condition_keeps_its_meaning_in_another_spelling() -> None:
    ours = {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalTag/t": ["a", "b"]}}}
    theirs = {"Condition": {"StringEquals": {"aws:principaltag/t": ["b", "a"]}, "Bool": {"aws:SecureTransport": False}}}
    assert same_policy(policy(ALLOW | ours), policy(ALLOW | theirs))


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Resource": "arn:aws:sqs:us-east-1:000000000000:Q"},
        {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}},
        {"NotAction": "sqs:SendMessage"},
    ],
)
def test_a_changed_meaning_is_a_change(change: dict[str, Any]) -> None:
    assert not same_policy(policy(ALLOW), policy(ALLOW | change)), f"{change} changes who may do what"


def test_a_statement_that_is_missing_is_a_change() -> None:
    assert not same_policy(policy(ALLOW, ALLOW | {"Effect": "Deny"}), policy(ALLOW))


def test_text_that_is_no_json_is_the_same_as_itself_alone() -> None:
    assert same_policy("{", "{")
    assert not same_policy("{", policy(ALLOW))
    assert not same_json(None, "{}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(max_size=3), s, max_size=3),
    )
)
def test_spacing_and_order_of_keys_never_matter(value: Any) -> None:
    loose = json.dumps(value, indent=3, sort_keys=True)
    tight = json.dumps(value, separators=(",", ":"))
    assert same_json(loose, tight)


@given(st.permutations([ALLOW, ALLOW | {"Effect": "Deny"}, ALLOW | {"Resource": "*"}]))
def test_the_order_of_statements_never_matters(statements: list[dict[str, Any]]) -> None:
    first = policy(ALLOW, ALLOW | {"Effect": "Deny"}, ALLOW | {"Resource": "*"})
    assert same_policy(first, policy(*statements))
