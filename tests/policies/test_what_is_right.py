"""What is right is not called wrong: each comparison that AWS makes is recognised as what it is.

Each case has its opposite beside it, to which the same finding applies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails import ownership
from policies.guardrails.model import UNKNOWN
from tests.policies.rehearsed import document, edited, findings, resource, stack

ASYNC = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:"


# Secrets Manager has a secret's tag under both keys:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
@pytest.mark.parametrize(
    ("operator", "key", "same"),
    [
        ("StringEquals", "secretsmanager:ResourceTag/tenant", True),
        ("StringEquals", "aws:ResourceTag/tenant", True),
        ("StringEquals", "AWS:ResourceTag/tenant", True),
        ("StringEqualsIfExists", "aws:ResourceTag/tenant", False),
        ("StringNotEquals", "aws:ResourceTag/tenant", False),
        ("StringEquals", "aws:ResourceTag/cell", False),
        ("StringEquals", "aws:RequestTag/tenant", False),
    ],
)
def test_the_secrets_tag_is_compared_under_either_of_its_keys(operator: str, key: str, same: bool) -> None:
    def compare(policy: Any) -> None:
        (read,) = [one for one in policy["Statement"] if one["Sid"] == "ReadOwnTenant"]
        (condition,) = [one for one in read["Condition"].values() if "secretsmanager:ResourceTag/tenant" in one]
        tenant = condition.pop("secretsmanager:ResourceTag/tenant")
        read["Condition"].setdefault(operator, {})[key] = tenant

    found = findings("runtime-reads-by-tag", edited(stack("local"), "local-runtime-read", "policy", compare))
    assert (found == []) is same, found


# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
OUR_QUEUE = {"destination": f"{QUEUE_ARN}myflux-local-dead-letters"}


@pytest.mark.parametrize(
    ("destinations", "expected"),
    [
        (None, []),
        ({}, []),
        ({"onFailure": OUR_QUEUE}, []),
        ({"onFailure": {"destination": f"{QUEUE_ARN}myflux-calls"}}, ["violation"]),
        ({"onFailure": {"destination": "arn:aws:sns:us-east-1:000000000000:myflux-local-alarms"}}, ["violation"]),
        ({"onSuccess": {"destination": "arn:aws:s3:::collector"}, "onFailure": OUR_QUEUE}, ["violation"]),
        ({"onFailure": {"destination": UNKNOWN}}, ["unknown"]),
        (UNKNOWN, ["unknown"]),
    ],
    ids=str,
)
def test_failed_calls_may_be_kept_in_our_own_queue(destinations: Any, expected: list[str]) -> None:
    retries = resource(ASYNC, functionName="myflux-local-sweep", maximumRetryAttempts=1, destinationConfig=destinations)
    assert [one.kind for one in findings("functions-are-bridled", (*stack("local"), retries))] == expected


def test_a_queue_that_is_not_made_yet_is_the_one_that_it_comes_from() -> None:
    retries = resource(
        ASYNC, functionName="myflux-local-sweep", destinationConfig={"onFailure": {"destination": UNKNOWN}}
    )
    (queue,) = [one for one in stack("local") if one.type == ownership.QUEUE]
    ours = replace(retries, property_dependencies={"destinationConfig": frozenset({queue.urn})})
    assert findings("functions-are-bridled", (*stack("local"), ours)) == []
    elsewhere = {"onFailure": {"destination": OUR_QUEUE["destination"].replace("0" * 12, "9" * 12)}}
    there = resource(ASYNC, functionName="myflux-local-sweep", destinationConfig=elsewhere)
    assert findings("one-account-one-region", (*stack("local"), there)), "a queue of that name in another account"


# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html: a role as principal is that role
# alone, the account's root is everybody whom an IAM policy allows it.
@pytest.mark.parametrize(
    ("principal", "closed"),
    [
        ("arn:aws:iam::000000000000:role/myflux-local-rotation", True),
        ("arn:aws:iam::000000000000:root", False),
    ],
)
def test_a_key_for_one_role_is_not_called_open_to_the_account(principal: str, closed: bool) -> None:
    def name_it(policy: Any) -> None:
        for one in policy["Statement"]:
            condition = one.get("Condition", {}).get("StringEquals", {})
            if "kms:Decrypt" in one["Action"] and "aws:PrincipalArn" in condition:
                condition.pop("aws:PrincipalArn")
                one["Principal"] = {"AWS": principal}

    found = findings("kms-key-used-through-secrets-manager", edited(stack("local"), "local-key-key", "policy", name_it))
    assert (found == []) is closed, found


# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
@pytest.mark.parametrize(
    ("condition", "closed"),
    [
        ({"StringEquals": {"aws:SourceAccount": "000000000000"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:*:alarm:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:999999999999:alarm:*"}}, False),
        ({"ArnLikeIfExists": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:000000000000:alarm:*"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
    ],
)
def test_a_service_of_this_account_is_known_by_account_or_by_arn(condition: Any, closed: bool) -> None:
    def bind(policy: Any) -> None:
        policy["Statement"][0]["Condition"] = condition

    found = findings("alarms-topic-closed", edited(stack("local"), "local-alarms-topic-policy", "policy", bind))
    assert (found == []) is closed, found


def test_a_document_with_our_name_for_no_role_of_ours_is_described_as_it_is() -> None:
    statement = document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    held = resource("aws:iam/policy:Policy", name="myflux-local-sweep", policy=statement)
    (found,) = findings("own-roles-narrow", [held])
    assert found.message == "it has a name or a tag of ours, but is for none of our roles"
