"""The alarms' topic, the dead-letter queue, and the alarms for failed rotations and dead letters.

Owns who may publish, and who is subscribed. Leaves out the functions' own alarms (`key_function`, `cell_alarms`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.cloudwatch import EventRule, EventTarget
from pulumi_aws.sns import Topic, TopicPolicy, TopicSubscription
from pulumi_aws.sqs import Queue

from components.iam import resource
from components.occurrence_alarm import AnyOccurrenceArgs, any_occurrence
from myflux_keys.aws_names import CellNames

_FOURTEEN_DAYS = 1_209_600


@dataclass
class AlarmsArgs:
    """`emails` are subscribed to the topic; AWS asks each to confirm."""

    names: CellNames
    emails: Sequence[str] = ()


class Alarms(pulumi.ComponentResource):
    """A topic to which only this account's alarms and rules may publish, and a queue for failed events of functions."""

    topic_arn: pulumi.Output[str]
    dead_letter_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Alarms", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        topic = Topic(f"{name}-topic", name=names.alarm_topic, tags=names.tags, opts=child)
        topic_policy = TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: json.dumps(resource.alarm_topic(names, arn))),
            opts=child,
        )
        for email in args.emails:
            TopicSubscription(
                f"{name}-{email}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=child,
            )
        queue = Queue(
            f"{name}-dead-letters",
            name=names.dead_letter_queue,
            message_retention_seconds=_FOURTEEN_DAYS,
            sqs_managed_sse_enabled=True,
            tags=names.tags,
            opts=child,
        )
        any_occurrence(
            f"{name}-dead-letters-alarm",
            AnyOccurrenceArgs(
                name=f"{names.dead_letter_queue}-not-empty",
                description=f"A function failed after all retries: {names.dead_letter_queue} holds the event. "
                "docs/runbook.md#deadletters",
                namespace="AWS/SQS",
                metric="ApproximateNumberOfMessagesVisible",
                statistic="Maximum",
                dimensions={"QueueName": names.dead_letter_queue},
                topic_arn=topic.arn,
                tags=names.tags,
            ),
            child,
        )
        rule = EventRule(
            f"{name}-rotation-failed",
            name=names.rotation_failed_rule,
            description="Secrets Manager abandoned a rotation: the old key stays in use until it expires. "
            "docs/runbook.md#rotationfailed",
            event_pattern=json.dumps(rotation_failed_pattern(names)),
            tags=names.tags,
            opts=child,
        )
        EventTarget(
            f"{name}-rotation-failed-target",
            rule=rule.name,
            target_id="alarms",
            arn=topic.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[topic_policy]),
        )
        self.topic_arn = topic.arn
        self.dead_letter_arn = queue.arn
        self.register_outputs({"topic_arn": self.topic_arn, "dead_letter_arn": self.dead_letter_arn})


def rotation_failed_pattern(names: CellNames) -> dict[str, object]:
    """The pattern of Secrets Manager's events on failed rotations of this cell's tenants and admin key.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
    """
    prefix = names.secret_arn_prefix(names.tenant_secrets_prefix)
    admin = names.secret_arn_prefix(f"{names.admin_secret}-")
    return {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS Service Event via CloudTrail"],
        "detail": {
            "eventName": ["RotationFailed", "RotationAbandoned", "TestRotationFailed"],
            "additionalEventData": {"SecretId": [{"prefix": prefix}, {"prefix": admin}]},
        },
    }
