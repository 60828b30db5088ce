"""How long a policy may be.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
("IAM does not count white space when calculating the size of a policy against these limits") and
https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, document, refusal, trust, unique

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def of_size(size: int, statement: dict[str, Any]) -> str:
    """A policy of `size` characters that are not white space, and some that are."""
    empty = document({**statement, "Sid": ""}).replace(" ", "")
    text = document({**statement, "Sid": "s" * (size - len(empty))})
    assert len(text.replace(" ", "")) == size
    return json.dumps(json.loads(text), indent=4)


def holds_to(limit: str, calls: list[Callable[[], Any]], *, fits: bool) -> None:
    for call in calls:
        if fits:
            assert call()
        else:
            assert refusal(call) == ("LimitExceeded", f"Cannot exceed quota for {limit}")


@pytest.mark.parametrize(("size", "fits"), [(2048, True), (2049, False)])
def test_a_trust_policy_has_2048_characters(cell: Cell, size: int, fits: bool):
    """Text: https://github.com/kubeflow/dashboard/issues/29"""
    iam, policy = cell.client("administrator", "iam"), of_size(size, trust(ROOT))
    role = cell.role([trust(ROOT)], []).rpartition("/")[2]
    calls = [
        lambda: iam.create_role(RoleName=unique("role"), AssumeRolePolicyDocument=policy),
        lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=policy),
    ]
    holds_to("ACLSizePerRole: 2048", calls, fits=fits)


@pytest.mark.parametrize(("kind", "most"), [("role", 10_240), ("user", 2_048), ("group", 5_120)])
def test_inline_policies_share_one_limit(cell: Cell, kind: str, most: int):
    """Text: https://github.com/aws/aws-cdk/issues/12403, of a group https://github.com/HumanCellAtlas/data-store/issues/1963"""
    iam, name = cell.client("administrator", "iam"), unique(kind)
    if kind == "role":
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust(ROOT)))
    else:
        getattr(iam, f"create_{kind}")(**{f"{kind.capitalize()}Name": name})

    def put(policy: str, size: int) -> Any:
        named = {f"{kind.capitalize()}Name": name, "PolicyName": policy}
        text = of_size(size, allow("sqs:ListQueues"))
        return getattr(iam, f"put_{kind}_policy")(**named, PolicyDocument=text)

    put("first", most - 300)
    put("second", 300)
    put("first", most - 300)
    expected = ("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind} {name}")
    assert refusal(lambda: put("second", 301)) == expected
    assert refusal(lambda: put("third", 120)) == expected


@pytest.mark.parametrize(("size", "fits"), [(6144, True), (6145, False)])
def test_a_managed_policy_has_6144_characters(cell: Cell, size: int, fits: bool):
    """Text: https://github.com/LBHackney-IT/Data-Platform/pull/2116"""
    iam, policy = cell.client("administrator", "iam"), of_size(size, allow("sqs:ListQueues"))
    small = document(allow("sqs:ListQueues"))
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=small)["Policy"]["Arn"]
    calls = [
        lambda: iam.create_policy(PolicyName=unique("policy"), PolicyDocument=policy),
        lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy),
    ]
    holds_to("PolicySize: 6144", calls, fits=fits)


@pytest.mark.parametrize(("size", "fits"), [(32_768, True), (32_769, False)])
def test_a_key_policy_has_32_kilobytes_and_its_white_space_counts(cell: Cell, size: int, fits: bool):
    """LimitExceededException is PutKeyPolicy's and CreateKey's error of a quota; AWS publishes no text."""
    kms = cell.client("administrator", "kms")
    policy = document(allow("kms:*", Principal=ROOT)).ljust(size)
    if fits:
        assert kms.create_key(Policy=policy)
    else:
        assert refusal(lambda: kms.create_key(Policy=policy))[0] == "LimitExceededException"
