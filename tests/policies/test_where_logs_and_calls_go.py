"""Logs stay in the account, and neither AWS's API nor an alarm is reached in plain HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.guardrails.model import UNKNOWN, Resource
from tests.policies.rehearsed import changed, findings, resource, stack

STAY, KEPT, ENCRYPTED = "logs-stay-in-the-account", "functions-keep-their-logs", "calls-are-encrypted"
SUBSCRIPTION = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
POLICY = "aws:cloudwatch/logAccountPolicy:LogAccountPolicy"
LINK = "aws:oam/link:Link"
OURS = "/aws/lambda/myflux-local-sweep"
GROUPS = [one.text("name") for one in stack("local") if one.type.endswith(":LogGroup")]
HERE = "arn:aws:logs:us-east-1:000000000000:destination:audit"
THERE = HERE.replace("0" * 12, "9" * 12)
AWS = "pulumi:providers:aws"


def kinds(rule: str, *added: Resource) -> list[str]:
    return [one.kind for one in findings(rule, (*stack("local"), *added))]


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
@pytest.mark.parametrize(
    ("group", "destination", "expected"),
    [
        (OURS, THERE, ["violation"]),
        (OURS, "arn:aws:kinesis:us-east-1:999999999999:stream/x", ["violation"]),
        (OURS, HERE, []),
        (OURS, "arn:aws:firehose:us-east-1:000000000000:deliverystream/audit", []),
        ("/aws/lambda/reports", THERE, []),
        ("/aws/lambda/myflux-dashboard", THERE, []),
        (UNKNOWN, THERE, ["unknown"]),
        (OURS, UNKNOWN, ["unknown"]),
    ],
)
def test_a_subscription_sends_our_logs_to_no_other_account(group: Any, destination: Any, expected: list[str]) -> None:
    assert kinds(STAY, resource(SUBSCRIPTION, logGroup=group, destinationArn=destination)) == expected


def test_a_subscription_is_judged_by_the_group_and_the_stream_that_it_comes_from() -> None:
    (group,) = [one for one in stack("local") if one.get("name") == OURS]
    stream = resource("aws:kinesis/stream:Stream", name="audit")
    unseen = resource(SUBSCRIPTION, logGroup=UNKNOWN, destinationArn=THERE)
    of_ours = replace(unseen, property_dependencies={"logGroup": frozenset({group.urn})})
    assert kinds(STAY, of_ours) == ["violation"]
    to_a_stream = resource(SUBSCRIPTION, logGroup=OURS, destinationArn=UNKNOWN)
    to_a_stream = replace(to_a_stream, property_dependencies={"destinationArn": frozenset({stream.urn})})
    assert kinds(STAY, stream, to_a_stream) == []


def test_without_any_arn_of_ours_nobody_can_say_which_account_is_another() -> None:
    (found,) = findings(STAY, [resource(SUBSCRIPTION, logGroup=OURS, destinationArn=THERE)])
    assert found.kind == "unknown"


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CreateSubscriptionFilterFirehose-Account.html
@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"policyDocument": json.dumps({"DestinationArn": THERE})}, ["violation"]),
        ({"policyDocument": "{"}, ["violation"]),
        ({"policyDocument": json.dumps({"DestinationArn": HERE})}, []),
        ({"policyDocument": UNKNOWN}, ["unknown"]),
        ({"policyDocument": json.dumps({"DestinationArn": THERE}), "selectionCriteria": UNKNOWN}, ["unknown"]),
        (
            {
                "policyDocument": json.dumps({"DestinationArn": THERE}),
                "selectionCriteria": f"LogGroupName NOT IN {json.dumps(GROUPS)}",
            },
            [],
        ),
        (
            {
                "policyDocument": json.dumps({"DestinationArn": THERE}),
                "selectionCriteria": f"LogGroupName NOT IN {json.dumps(GROUPS[1:])}",
            },
            ["violation"],
        ),
    ],
)
def test_an_account_policy_sends_our_logs_to_no_other_account(properties: dict[str, Any], expected: list[str]) -> None:
    assert len(GROUPS) > 2
    assert kinds(STAY, resource(POLICY, policyType="SUBSCRIPTION_FILTER_POLICY", **properties)) == expected
    assert kinds(STAY, resource(POLICY, policyType="DATA_PROTECTION_POLICY", **properties)) == []


# https://docs.aws.amazon.com/OAM/latest/APIReference/API_LogGroupConfiguration.html
@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (None, ["violation"]),
        ("*", ["violation"]),
        (UNKNOWN, ["unknown"]),
        ("LogGroupName LIKE '/aws/%'", ["violation"]),
        (f"LogGroupName = '{OURS}'", ["violation"]),
        ("LogGroupName NOT LIKE '/aws/lambda/reports%'", ["violation"]),
        ("LogGroupName NOT LIKE '/aws/lambda/myflux-%' OR LogGroupName LIKE '/aws/%'", ["violation"]),
        ("LogGroupName NOT LIKE '/aws/lambda/myflux-%'", []),
        ("LogGroupName NOT LIKE '/aws/lambda/%'", []),
        ("LogGroupName IN ('/aws/lambda/reports', 'web')", []),
        ("LogGroupName LIKE 'web%' OR LogGroupName LIKE '/aws/ecs/%'", []),
    ],
)
def test_a_monitoring_account_does_not_see_our_logs(filter_: Any, expected: list[str]) -> None:
    configuration = {} if filter_ is None else {"linkConfiguration": {"logGroupConfiguration": {"filter": filter_}}}
    metrics, logs = "AWS::CloudWatch::Metric", "AWS::Logs::LogGroup"
    assert kinds(STAY, resource(LINK, resourceTypes=[metrics, logs], **configuration)) == expected
    assert kinds(STAY, resource(LINK, resourceTypes=[metrics], **configuration)) == []
    assert kinds(STAY, resource(LINK, resourceTypes=UNKNOWN)) == ["unknown"]


# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
@pytest.mark.parametrize(("group", "expected"), [("/elsewhere", "violation"), (UNKNOWN, "unknown"), (OURS, None)])
def test_a_function_logs_to_the_group_that_is_kept(group: Any, expected: str | None) -> None:
    config = {"logFormat": "JSON", "logGroup": group}
    found = findings(KEPT, changed(stack("local"), "local-sweep-function", loggingConfig=config))
    assert [one.kind for one in found] == ([expected] if expected else [])


# https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html#enforce-encryption-data-in-transit
@pytest.mark.parametrize(
    ("topic", "protocol", "expected"),
    [
        ("arn:aws:sns:us-east-1:000000000000:myflux-local-alarms", "http", ["violation"]),
        ("arn:aws:sns:us-east-1:000000000000:myflux-local-alarms", "https", []),
        ("arn:aws:sns:us-east-1:000000000000:myflux-local-alarms", "email", []),
        ("arn:aws:sns:us-east-1:000000000000:myflux-local-alarms", UNKNOWN, ["unknown"]),
        ("arn:aws:sns:us-east-1:000000000000:myflux-calls", "http", []),
        (UNKNOWN, "http", ["violation"]),
    ],
)
def test_no_alarm_is_sent_over_plain_http(topic: Any, protocol: Any, expected: list[str]) -> None:
    added = resource("aws:sns/topicSubscription:TopicSubscription", topic=topic, protocol=protocol, endpoint="x")
    assert kinds(ENCRYPTED, added) == expected


# https://docs.aws.amazon.com/general/latest/gr/rande.html, and the provider's `endpoints` and `insecure`:
# https://www.pulumi.com/registry/packages/aws/api-docs/provider/
# https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("arn:aws:sqs:us-east-1:999999999999:x", ["violation"]),
        ("arn:aws:lambda:us-east-1:999999999999:function:x", ["violation"]),
        ("arn:aws:sqs:us-east-1:000000000000:x", []),
        ("second@myflux.example", []),
    ],
)
def test_no_alarm_is_sent_to_another_account(endpoint: str, expected: list[str]) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:myflux-local-alarms"
    added = resource("aws:sns/topicSubscription:TopicSubscription", topic=topic, protocol="sqs", endpoint=endpoint)
    assert kinds("alarms-topic-closed", added) == expected
    # The topic is the platform's, and a tenant's stack can subscribe to it as well.
    assert [one.kind for one in findings("alarms-topic-closed", (*stack("acme.local"), added))] == expected
    of_others = resource(added.type, topic="arn:aws:sns:us-east-1:000000000000:x", protocol="sqs", endpoint=endpoint)
    assert findings("alarms-topic-closed", (*stack("acme.local"), of_others)) == []


CALLS: list[tuple[dict[str, Any], list[str]]] = [
    ({"endpoints": [{"iam": "http://iam.amazonaws.com"}]}, ["violation"]),
    ({"endpoints": [{"secretsmanager": "https://collector.example"}]}, ["violation"]),
    ({"endpoints": [{"secretsmanager": "https://amazonaws.com.collector.example"}]}, ["violation"]),
    ({"endpoints": [{"kms": "http://192.0.2.1:4566"}]}, ["violation"]),
    ({"endpoints": [{"kms": "http://127.0.0.1:4566", "iam": "http://localhost:4566"}]}, []),
    ({"endpoints": [{"kms": "https://vpce-0a.kms.eu-west-1.vpce.amazonaws.com"}]}, []),
    ({"endpoints": [{"kms": ""}]}, []),
    ({"insecure": True}, ["violation"]),
    ({"insecure": False}, []),
]
NOT_KNOWN: list[tuple[dict[str, Any], list[str]]] = [
    ({"endpoints": [{"kms": UNKNOWN}]}, ["unknown"]),
    ({"endpoints": UNKNOWN}, ["unknown"]),
]
AS_TEXT = [({name: json.dumps(value) for name, value in given.items()}, expected) for given, expected in CALLS]
"""As the engine shows a provider's properties."""


@pytest.mark.parametrize(("settings", "expected"), [*CALLS, *NOT_KNOWN, *AS_TEXT], ids=str)
def test_the_provider_calls_aws_itself_over_https(settings: dict[str, Any], expected: list[str]) -> None:
    bound = {"region": "us-east-1", "allowedAccountIds": ["000000000000"]}
    assert kinds(ENCRYPTED, resource(AWS, "default_7_51_1", **bound, **settings)) == expected
