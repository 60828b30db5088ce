"""IAM refuses a policy document that it cannot read, and an attachment of a policy that is not there.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html (MalformedPolicyDocument),
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html (NoSuchEntity, LimitExceeded).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, deny, document, refusal, trust, unique, user_arn

TRUST = [trust({"AWS": user_arn("administrator")})]
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
REGEXES = "Resource vendor must be fully qualified and cannot contain regexes."
UNIQUE = "Statement IDs (SID) in a single policy must be unique."
SYNTAX = "Syntax errors in policy."
READS = allow("s3:GetObject")

STORED: list[str] = [
    document(READS),
    document(
        allow(["s3:Get*", "iam:List?sers"], ["arn:aws:s3:::${aws:username}/*", "arn:aws:iam::*:role/x"], Sid="One2")
    ),
    document({"Effect": "Deny", "NotAction": "sts:*", "NotResource": "*"}),
    document(allow("*"), deny("s3:*", Condition={"ForAllValues:StringLikeIfExists": {"aws:TagKeys": "a*"}})),
    document(allow("s3:GetObject", Condition={"Null": {"aws:TokenIssueTime": "true"}}), version="2008-10-17"),
    json.dumps({"Statement": READS}),
]
REFUSED: list[tuple[str, str]] = [
    ("{", SYNTAX),
    (json.dumps({"Version": "2012-10-17"}), SYNTAX),
    (document(READS, version="2012-10-18"), "The policy must contain a valid version string"),
    # https://github.com/trussworks/terraform-aws-s3-anti-virus/issues/21
    (document(allow("s3:GetObject", "a-bucket")), 'Resource a-bucket must be in ARN format or "*".'),
    (document(allow("s3:GetObject", "arn:aws:*:::x/*")), REGEXES),
    (document(allow("GetObject")), VENDOR),
    (document(allow("s3:GetObject", Condition={"StringEquals": {"username": "x"}})), VENDOR),
    (document(allow("s3:GetObject", Condition={"StringSame": {"aws:x": "x"}})), "Invalid Condition type : StringSame."),
    (document(allow("s3:GetObject", Principal="*")), "Policy document should not specify a principal."),
    (document({"Effect": "Allow", "Action": "s3:GetObject"}), "Policy statement must contain resources."),
    (document({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
    (document(READS | {"Effect": "allow"}), SYNTAX),
    (document(READS | {"Resources": "*"}), SYNTAX),
    (document(READS | {"NotAction": "s3:*"}), SYNTAX),
    (document(READS | {"Sid": "one"}, READS | {"Sid": "one"}), UNIQUE),
]  # fmt: skip


def stores(cell: Cell, policy: str) -> list[Any]:
    """The calls that store an identity policy."""
    iam = cell.client("administrator", "iam")
    role = cell.role(TRUST, []).rpartition("/")[2]
    user, _ = cell.user([READS])
    group = unique("group")
    iam.create_group(GroupName=group)
    there = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document(READS))["Policy"]["Arn"]
    return [
        lambda: iam.put_role_policy(RoleName=role, PolicyName="it", PolicyDocument=policy),
        lambda: iam.put_user_policy(UserName=user, PolicyName="it", PolicyDocument=policy),
        lambda: iam.put_group_policy(GroupName=group, PolicyName="it", PolicyDocument=policy),
        lambda: iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy),
        lambda: iam.create_policy_version(PolicyArn=there, PolicyDocument=policy),
    ]


@pytest.mark.parametrize("policy", STORED)
def test_a_policy_of_the_grammar_is_stored(cell: Cell, policy: str):
    for store in stores(cell, policy):
        store()


@pytest.mark.parametrize(("policy", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_policy_outside_the_grammar_is_refused(cell: Cell, policy: str, message: str):
    for store in stores(cell, policy):
        assert refusal(store) == ("MalformedPolicyDocument", message)


def test_a_trust_policy_has_actions_of_sts_alone(cell: Cell):
    # https://github.com/getmoto/moto/issues/5750: AWS takes sts:SetSourceIdentity too.
    for action in ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"):
        cell.role([trust({"AWS": user_arn("administrator")}, action)], [])
    found = refusal(
        lambda: cell.role([trust({"AWS": user_arn("administrator")}, ["sts:AssumeRole", "s3:GetObject"])], [])
    )
    assert found == ("MalformedPolicyDocument", "AssumeRole policy may only specify STS AssumeRole actions.")


def test_only_a_policy_that_is_there_is_attached(cell: Cell):
    iam = cell.client("administrator", "iam")
    none = f"arn:aws:iam::{ACCOUNT}:policy/there-is-none"
    role = cell.role(TRUST, []).rpartition("/")[2]
    user, _ = cell.user([READS])
    group = unique("group")
    iam.create_group(GroupName=group)
    there = [
        iam.create_policy(PolicyName=unique("p"), PolicyDocument=document(READS))["Policy"]["Arn"] for _ in range(10)
    ]
    aws_own = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for kind, attach in (
        ("Role", lambda arn: iam.attach_role_policy(RoleName=role, PolicyArn=arn)),
        ("User", lambda arn: iam.attach_user_policy(UserName=user, PolicyArn=arn)),
        ("Group", lambda arn: iam.attach_group_policy(GroupName=group, PolicyArn=arn)),
    ):  # fmt: skip
        expected = ("NoSuchEntity", f"Policy {none} does not exist or is not attachable.")
        assert refusal(lambda attach=attach: attach(none)) == expected
        for arn in [aws_own, *there[:9], aws_own]:
            attach(arn)
        expected = ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: 10")
        assert refusal(lambda attach=attach: attach(there[9])) == expected
