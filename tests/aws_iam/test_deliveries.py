"""Services as principals: a rule or an alarm reaches a target only by the target's own policy.

AWS: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.aws_iam.served import ACCOUNT, Cell, allow, document, refusal, unique

EVENTS = {"Service": "events.amazonaws.com"}


def a_queue(cell: Cell) -> tuple[str, str]:
    url = cell.client("administrator", "sqs").create_queue(QueueName=unique("q"))["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{url.rpartition('/')[2]}"


def a_rule(cell: Cell, target: str) -> tuple[str, str]:
    """(its event source, its ARN)"""
    events, source, name = cell.client("administrator", "events"), unique("test.source"), unique("rule")
    arn = events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": target}])
    return source, arn


def received(cell: Cell, url: str, source: str, *, expected: bool) -> bool:
    """Waits long for what must come, and a moment for what must not."""
    cell.client("administrator", "events").put_events(
        Entries=[{"Source": source, "DetailType": "x", "Detail": "{}", "EventBusName": "default"}]
    )
    sqs, deadline = cell.client("administrator", "sqs"), time.monotonic() + (60 if expected else 1.5)
    while time.monotonic() < deadline:
        if sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0).get("Messages"):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("case", ["no policy", "another service", "another rule", "this rule", "this account"])
def test_a_rule_reaches_a_queue_by_the_queues_policy(cell: Cell, case: str):
    url, queue = a_queue(cell)
    source, rule = a_rule(cell, queue)
    statements: dict[str, dict[str, Any]] = {
        "another service": allow("sqs:SendMessage", queue, Principal={"Service": "sns.amazonaws.com"}),
        "another rule": allow(
            "sqs:SendMessage", queue, Principal=EVENTS, Condition={"ArnEquals": {"aws:SourceArn": f"{rule}-other"}}
        ),
        "this rule": allow(
            "sqs:SendMessage", queue, Principal=EVENTS, Condition={"ArnEquals": {"aws:SourceArn": rule}}
        ),
        "this account": allow(
            "sqs:SendMessage", queue, Principal=EVENTS, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
        ),
    }
    if case in statements:
        cell.client("administrator", "sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": document(statements[case])}
        )
    expected = case.startswith("this")
    assert received(cell, url, source, expected=expected) is expected


@pytest.mark.parametrize("allowed", [True, False])
def test_a_rule_reaches_a_topic_by_the_topics_policy(cell: Cell, allowed: bool):
    sns = cell.client("administrator", "sns")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    url, queue = a_queue(cell)
    from_topic = allow("sqs:SendMessage", queue, Principal={"Service": "sns.amazonaws.com"})
    cell.client("administrator", "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(from_topic)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    if allowed:
        policy = document(allow("sns:Publish", topic, Principal=EVENTS))
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    source, _ = a_rule(cell, topic)
    assert received(cell, url, source, expected=allowed) is allowed, (
        "the policy that a topic is born with lets no rule in"
    )


@pytest.mark.parametrize("allowed", [True, False])
def test_an_alarm_reaches_a_topic_by_the_topics_policy(cell: Cell, allowed: bool):
    sns, cloudwatch = cell.client("administrator", "sns"), cell.client("administrator", "cloudwatch")
    topic, name = sns.create_topic(Name=unique("topic"))["TopicArn"], unique("alarm")
    url, queue = a_queue(cell)
    from_topic = allow("sqs:SendMessage", queue, Principal={"Service": "sns.amazonaws.com"})
    cell.client("administrator", "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(from_topic)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    service = "cloudwatch" if allowed else "events"
    policy = document(allow("sns:Publish", topic, Principal={"Service": f"{service}.amazonaws.com"}))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=0,
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    assert received(cell, url, "nobody", expected=allowed) is allowed


def test_a_key_policy_that_shuts_its_author_out_is_refused(cell: Cell):
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
    kms = cell.client("administrator", "kms")
    someone = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/stranger"})
    code, message = refusal(lambda: kms.create_key(Policy=document(someone)))
    assert (code, message) == (
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )
    assert kms.create_key(Policy=document(someone), BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["KeyId"]
    assert refusal(lambda: kms.create_key(Policy="{"))[0] == "MalformedPolicyDocumentException"
