"""The action that a request needs to tag what it creates, next to the right to create it.

Owns which action that is, by creating action. AWS asks for it only when the request holds tags. Sources, where the
service's own reference of the operation does not say it:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html#fxn-tags-required-permissions
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html and its neighbours for each kind of IAM resource
"""

from __future__ import annotations

from typing import Final

_TAGGED_BY: Final[dict[str, tuple[str, ...]]] = {
    "cloudwatch:PutMetricAlarm": ("cloudwatch:TagResource",),
    "dynamodb:CreateTable": ("dynamodb:TagResource",),
    "events:CreateEventBus": ("events:TagResource",),
    "events:PutRule": ("events:TagResource",),
    "iam:CreateInstanceProfile": ("iam:TagInstanceProfile",),
    "iam:CreateOpenIDConnectProvider": ("iam:TagOpenIDConnectProvider",),
    "iam:CreatePolicy": ("iam:TagPolicy",),
    "iam:CreateRole": ("iam:TagRole",),
    "iam:CreateUser": ("iam:TagUser",),
    "kms:CreateKey": ("kms:TagResource",),
    "kms:ReplicateKey": ("kms:TagResource",),
    "lambda:CreateEventSourceMapping": ("lambda:TagResource",),
    "lambda:CreateFunction": ("lambda:TagResource",),
    # Either of the two: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    "logs:CreateLogGroup": ("logs:TagLogGroup", "logs:TagResource"),
    "s3:CreateBucket": ("s3:TagResource",),
    "scheduler:CreateScheduleGroup": ("scheduler:TagResource",),
    "secretsmanager:CreateSecret": ("secretsmanager:TagResource",),
    "sns:CreateTopic": ("sns:TagResource",),
    "sqs:CreateQueue": ("sqs:TagQueue",),
    "states:CreateStateMachine": ("states:TagResource",),
}


def tagging_actions(creating: str) -> tuple[str, ...]:
    """Any one of them is enough; empty where a creation is not asked for one."""
    return _TAGGED_BY.get(creating, ())
