"""The stand-in's outputs beside the official provider's, type by type.

Source: pulumi_aws, whose classes have a property for each output; one that is not Optional is always there.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from components.iam.deployer_calls import BUILD
from local.provider.registry import RESOURCES
from tests.provider.harness import ACCOUNT, REGION, Provider

_OTHERS_CHANGE_IT = "set by other resources of the same stack, so that a refresh would tell a change after each `up`"
_A_BUCKETS_OWN = (
    "accelerationStatus acl corsRules grants lifecycleRules logging objectLockConfiguration policy "
    "replicationConfiguration serverSideEncryptionConfiguration versioning website"
)
LEFT_OUT = {
    **{("aws:s3/bucket:Bucket", name): _OTHERS_CHANGE_IT for name in _A_BUCKETS_OWN.split()},
    **{("aws:s3/bucket:Bucket", name): "nothing here sets it" for name in ("websiteDomain", "websiteEndpoint")},
    ("aws:s3/bucket:Bucket", "hostedZoneId"): "of AWS's own tables, which nothing here reads",
    **{("aws:s3/bucketObjectv2:BucketObjectv2", name): "nothing here sets it" for name in ("source", "tagsAll")},
    ("aws:iam/role:Role", "inlinePolicies"): _OTHERS_CHANGE_IT,
    ("aws:iam/role:Role", "managedPolicyArns"): _OTHERS_CHANGE_IT,
    ("aws:secretsmanager/secret:Secret", "policy"): _OTHERS_CHANGE_IT,
    ("aws:sqs/queue:Queue", "policy"): _OTHERS_CHANGE_IT,
    ("aws:sqs/queue:Queue", "redriveAllowPolicy"): "nothing here sets it",
}
"""Outputs that the official provider always has and this one has not."""
DEFAULTED = {
    "aws:cloudwatch/eventRule:EventRule": {"forceDestroy", "isEnabled"},
    "aws:cloudwatch/eventTarget:EventTarget": {"forceDestroy"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"datapointsToAlarm"},
    "aws:kms/key:Key": {"bypassPolicyLockoutSafetyCheck"},
    "aws:sns/topic:Topic": {"contentBasedDeduplication", "sqsSuccessFeedbackSampleRate"},
    "aws:sns/topicSubscription:TopicSubscription": {"confirmationTimeoutInMinutes", "endpointAutoConfirms"},
    "aws:sqs/queue:Queue": {"contentBasedDeduplication"},
}
"""Optional in the class, and there all the same, since they have a default."""


def official(token: str) -> dict[str, bool]:
    """Each output's name, and whether it is always there."""
    _, module, name = token.split(":")
    package = importlib.import_module(
        "pulumi_aws." + {"lambda": "lambda_"}.get(module.split("/")[0], module.split("/")[0])
    )
    getters: list[Any] = [one.fget for one in vars(getattr(package, name)).values() if isinstance(one, property)]
    return {
        getter._pulumi_name: not str(getter.__annotations__["return"]).split("[", 1)[1].startswith("typing.Optional")
        for getter in getters
        if hasattr(getter, "_pulumi_name")
    }


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_every_output_that_is_always_there_is_here_too_or_has_a_reason(token: str) -> None:
    theirs, ours = official(token), RESOURCES[token].properties() | RESOURCES[token].results()
    assert theirs
    always = {name for name, there in theirs.items() if there} | DEFAULTED.get(token, set())
    reasons = {name for kind, name in LEFT_OUT if kind == token}
    assert always - ours.keys() == reasons, "each output that is left out has a reason, and no other has one"
    assert ours.keys() <= theirs.keys(), "and none is made up"


def test_every_type_of_the_product_is_compared() -> None:
    assert BUILD.keys() <= RESOURCES.keys()


def made(provider: Provider, token: str, name: str, **inputs: Any) -> dict[str, Any]:
    id, state = provider.create(token, name, **inputs)
    provider.delete(token, name, id, state)
    return state


def test_rules_and_targets_tell_force_destroy_and_is_enabled(provider: Provider) -> None:
    kind = "aws:cloudwatch/eventRule:EventRule"
    off = made(provider, kind, "off", scheduleExpression="rate(1 day)", state="DISABLED", forceDestroy=True)
    assert (off["isEnabled"], off["forceDestroy"], off["namePrefix"]) == (False, True, "")
    id, rule = provider.create(kind, "on", scheduleExpression="rate(1 day)")
    assert (rule["isEnabled"], rule["forceDestroy"]) == (True, False)
    target = made(
        provider,
        "aws:cloudwatch/eventTarget:EventTarget",
        "to",
        rule=rule["name"],
        arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:q",
    )
    assert target["forceDestroy"] is False
    provider.delete(kind, "on", id, rule)


def test_an_alarm_a_log_group_and_a_key_tell_their_defaults(provider: Provider) -> None:
    alarm = made(
        provider,
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "high",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=1,
        metricName="m",
        namespace="n",
        period=60,
        statistic="Sum",
        threshold=1,
    )
    assert (alarm["datapointsToAlarm"], alarm["evaluateLowSampleCountPercentiles"]) == (0, "")
    assert made(provider, "aws:cloudwatch/logGroup:LogGroup", "log")["deletionProtectionEnabled"] is False
    assert made(provider, "aws:kms/key:Key", "key")["bypassPolicyLockoutSafetyCheck"] is False


def test_topics_subscriptions_and_queues_tell_their_defaults(provider: Provider) -> None:
    id, topic = provider.create("aws:sns/topic:Topic", "news")
    assert (topic["maximumMessageSize"], topic["contentBasedDeduplication"]) == (262_144, False)
    assert {topic[f"{to}SuccessFeedbackSampleRate"] for to in ("application", "firehose", "http", "lambda", "sqs")} == {
        0
    }
    queue_id, queue = provider.create("aws:sqs/queue:Queue", "reader")
    assert (queue["deduplicationScope"], queue["fifoThroughputLimit"], queue["contentBasedDeduplication"]) == (
        "",
        "",
        False,
    )
    subscription = made(
        provider, "aws:sns/topicSubscription:TopicSubscription", "to", topic=id, protocol="sqs", endpoint=queue["arn"]
    )
    assert (subscription["confirmationTimeoutInMinutes"], subscription["endpointAutoConfirms"]) == (1, False)
    provider.delete("aws:sqs/queue:Queue", "reader", queue_id, queue)
    provider.delete("aws:sns/topic:Topic", "news", id, topic)


def test_a_policy_tells_how_often_it_is_attached(provider: Provider) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    state = made(provider, "aws:iam/policy:Policy", "held", policy=json.dumps(document))
    assert state["attachmentCount"] == 0


def test_a_policy_of_a_secret_that_is_marked_for_deletion_is_gone(provider: Provider) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html:
    InvalidRequestException for a secret that is scheduled for deletion."""
    secret, held = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
    }
    id, state = provider.create(secret, "leaving", recoveryWindowInDays=7)
    policy_id, policy = provider.create(held, "lock", secretArn=id, policy=json.dumps(document))
    assert provider.read(held, "lock", policy_id, **policy).id == policy_id, "of a secret that stays it is read"
    provider.delete(secret, "leaving", id, state)
    assert provider.read(held, "lock", policy_id, **policy).id == ""
