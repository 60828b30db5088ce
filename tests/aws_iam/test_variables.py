"""Policy variables.

AWS: in version 2012-10-17 ``${key}`` in Resource and in string and ARN conditions stands for the request's value; a key
without a value is null, which nothing equals (so a negated operator holds); ``${key, 'default'}`` gives one; ``${*}``,
``${?}`` and ``${$}`` are the characters. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.iam.conditions import satisfied
from local.aws.iam.patterns import Keys, compiled, matches_arn
from local.aws.iam.policy import Condition
from tests.aws_iam.served import Cell, allow, document, refusal, unique, user_arn

KEYS: Keys = {"aws:username": "ann", "aws:principaltag/team": "red*", "aws:tagkeys": ("a", "b"), "aws:empty": ""}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("home/${aws:username}", "home/ann", True),
        ("home/${aws:username}", "home/bob", False),
        ("home/${AWS:UserName}", "home/ann", True),
        ("home/${aws:username}/*", "home/ann/x/y", True),
        ("${aws:PrincipalTag/team}", "red*", True),
        ("${aws:PrincipalTag/team}", "redder", False),
        ("${aws:PrincipalTag/absent}", "", False),
        ("${aws:PrincipalTag/absent}", "${aws:PrincipalTag/absent}", False),
        ("x${aws:PrincipalTag/absent, 'none'}", "xnone", True),
        ("x${aws:username, 'none'}", "xann", True),
        ("x${aws:empty, 'none'}", "xnone", True),
        ("${aws:TagKeys}", "a", False),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a${?}b", "a?b", True),
        ("a${?}b", "axb", False),
        ("a${$}{b}", "a${b}", True),
        ("a?b*", "axbyyy", True),
    ],
)
def test_what_a_pattern_stands_for(pattern: str, text: str, expected: bool):
    found = compiled(pattern, KEYS, variables=True, wildcards=True)
    assert (found is not None and found.fullmatch(text) is not None) is expected


def test_an_older_policy_takes_the_braces_as_text():
    found = compiled("${aws:username}", KEYS, variables=False, wildcards=True)
    assert found is not None
    assert found.fullmatch("${aws:username}")
    assert not found.fullmatch("ann")


def test_a_variable_in_an_arn_keeps_its_colons_together():
    pattern = "arn:aws:secretsmanager:*:*:secret:myflux/${aws:PrincipalTag/tenant, 'none'}/openai-??????"
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/acme/openai-AbCdEf"
    assert matches_arn(arn, pattern, {"aws:principaltag/tenant": "acme"}, variables=True)
    assert not matches_arn(arn, pattern, {}, variables=True)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("StringEquals", False), ("StringLike", False), ("StringNotEquals", True), ("StringNotLike", True)],
)
def test_nothing_equals_a_variable_without_a_value(operator: str, expected: bool):
    condition = Condition(operator, "aws:ResourceTag/tenant", ("${aws:PrincipalTag/tenant}",))
    assert satisfied([condition], {"aws:resourcetag/tenant": "acme"}, variables=True) is expected


@given(st.text(), st.text())
def test_a_tags_value_never_works_as_a_wildcard(value: str, text: str):
    found = compiled("${aws:PrincipalTag/t}", {"aws:principaltag/t": value}, variables=True, wildcards=True)
    matches = found is not None and found.fullmatch(text) is not None
    assert matches == (value != "" and value == text)


def test_a_user_reaches_only_the_queue_of_their_name(cell: Cell):
    name, session = cell.user([allow("sqs:CreateQueue", "arn:aws:sqs:*:*:${aws:username}-*")])
    sqs = cell.client(session, "sqs")
    assert sqs.create_queue(QueueName=f"{name}-jobs")["QueueUrl"]
    assert refusal(lambda: sqs.create_queue(QueueName=unique("another")))[0] == "AccessDenied"


def test_a_principals_tag_names_its_secret_in_a_condition(cell: Cell):
    condition = {"StringEquals": {"secretsmanager:ResourceTag/tenant": "${aws:PrincipalTag/tenant}"}}
    _, session = cell.user([allow("secretsmanager:GetSecretValue", Condition=condition)], tags={"tenant": "acme"})
    secrets = cell.client(session, "secretsmanager")
    own, other = cell.secret(tags={"tenant": "acme"}), cell.secret(tags={"tenant": "globex"})
    assert secrets.get_secret_value(SecretId=own)["SecretString"] == "a value"
    assert refusal(lambda: secrets.get_secret_value(SecretId=other))[0] == "AccessDeniedException"
    assert refusal(lambda: secrets.get_secret_value(SecretId=cell.secret()))[0] == "AccessDeniedException"


def test_a_policy_of_2008_expands_nothing(cell: Cell):
    name, session = cell.user([allow("sts:GetCallerIdentity")])
    statement = allow("sqs:CreateQueue", "arn:aws:sqs:*:*:${aws:username}-*")
    cell.client("administrator", "iam").put_user_policy(
        UserName=name, PolicyName="old", PolicyDocument=document(statement, version="2008-10-17")
    )
    code, message = refusal(lambda: cell.client(session, "sqs").create_queue(QueueName=f"{name}-jobs"))
    assert code == "AccessDenied"
    assert user_arn(name) in message
