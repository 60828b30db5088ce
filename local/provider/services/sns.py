"""SNS topics, their policies and subscriptions.

A topic always has a policy: the delete of a TopicPolicy restores the default policy, as in the official plugin. An
e-mail subscription is pending until its owner confirms it, and a pending one cannot be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import is_arn, matches, one_of
from local.provider.services.tags import mapped, pairs

_ATTRIBUTES = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
_RECEIVERS = ("application", "firehose", "http", "lambda", "sqs")
_LARGEST = 262_144
"""Bytes: what a topic takes if it was told nothing else."""
_PROTOCOLS = ("sqs", "sms", "lambda", "firehose", "application", "email", "email-json", "http", "https")


def _create(aws: Aws, inputs: State) -> Created:
    attributes = {theirs: inputs[ours] for ours, theirs in _ATTRIBUTES.items() if inputs.get(ours)}
    made = aws.client("sns").create_topic(Name=inputs["name"], Attributes=attributes, Tags=pairs(inputs.get("tags")))
    return Created(made["TopicArn"])


def _read(aws: Aws, id: str, prior: State) -> State | None:
    sns = aws.client("sns")
    held = sns.get_topic_attributes(TopicArn=id)["Attributes"]
    seen: State = {
        "arn": held["TopicArn"],
        "name": held["TopicArn"].rsplit(":", 1)[-1],
        "owner": held["Owner"],
        "displayName": held.get("DisplayName", ""),
        "kmsMasterKeyId": held.get("KmsMasterKeyId", ""),
        "fifoTopic": held.get("FifoTopic") == "true",
        "maximumMessageSize": int(held.get("MaximumMessageSize", _LARGEST)),
        "signatureVersion": int(held.get("SignatureVersion", 0)),
        "tracingConfig": held.get("TracingConfig", ""),
        "tags": mapped(sns.list_tags_for_resource(ResourceArn=id).get("Tags")),
    }
    # A policy that a TopicPolicy owns would be reported as drift of the topic.
    return seen | ({"policy": held.get("Policy")} if "policy" in prior else {})


def _update(aws: Aws, change: Change) -> State:
    sns = aws.client("sns")
    for name in sorted(change.changed & _ATTRIBUTES.keys()):
        value = change.new.get(name) or ""
        sns.set_topic_attributes(TopicArn=change.id, AttributeName=_ATTRIBUTES[name], AttributeValue=value)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("sns").delete_topic(TopicArn=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    sns = aws.client("sns")
    if remove:
        sns.untag_resource(ResourceArn=id, TagKeys=list(remove))
    if add:
        sns.tag_resource(ResourceArn=id, Tags=pairs(add))


def _put_policy(aws: Aws, arn: str, policy: str) -> None:
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _create_policy(aws: Aws, inputs: State) -> Created:
    _put_policy(aws, inputs["arn"], inputs["policy"])
    return Created(inputs["arn"])


def _read_policy(aws: Aws, id: str, _prior: State) -> State | None:
    held = aws.client("sns").get_topic_attributes(TopicArn=id)["Attributes"]
    if not held.get("Policy"):
        return None
    return {"arn": held["TopicArn"], "owner": held["Owner"], "policy": held["Policy"]}


def _update_policy(aws: Aws, change: Change) -> State:
    _put_policy(aws, change.id, change.new["policy"])
    return {}


def _delete_policy(aws: Aws, id: str, _state: State) -> None:
    _put_policy(aws, id, json.dumps(_default_policy(id, aws.account_id)))


def _default_policy(arn: str, owner: str) -> dict[str, Any]:
    """The policy that SNS gives a new topic: principals of the owning account may use it in every way."""
    actions = ("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic")
    use = ("Subscribe", "ListSubscriptionsByTopic", "Publish")
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in actions + use],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
            }
        ],
    }


def _subscribe(aws: Aws, inputs: State) -> Created:
    made = aws.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return Created(made["SubscriptionArn"])


def _read_subscription(aws: Aws, id: str, _prior: State) -> State | None:
    held = aws.client("sns").get_subscription_attributes(SubscriptionArn=id)["Attributes"]
    return {
        "arn": held["SubscriptionArn"],
        "topic": held["TopicArn"],
        "protocol": held["Protocol"],
        "endpoint": held["Endpoint"],
        "ownerId": held["Owner"],
        "pendingConfirmation": held.get("PendingConfirmation") == "true",
        "confirmationWasAuthenticated": held.get("ConfirmationWasAuthenticated") == "true",
        "filterPolicyScope": held.get("FilterPolicyScope", ""),
        "rawMessageDelivery": held.get("RawMessageDelivery") == "true",
    }


def _update_subscription(aws: Aws, change: Change) -> State:
    if "rawMessageDelivery" in change.changed:
        _set_raw(aws, change.id, change.new["rawMessageDelivery"])
    return {}


def _complete_subscription(aws: Aws, id: str, inputs: State) -> None:
    if inputs["rawMessageDelivery"]:
        _set_raw(aws, id, True)


def _set_raw(aws: Aws, id: str, raw: bool) -> None:
    aws.client("sns").set_subscription_attributes(
        SubscriptionArn=id, AttributeName="RawMessageDelivery", AttributeValue=str(raw).lower()
    )


def _unsubscribe(aws: Aws, id: str, _state: State) -> None:
    """SNS refuses to delete a pending subscription, and deletes it itself after 48 hours."""
    sns = aws.client("sns")
    try:
        sns.unsubscribe(SubscriptionArn=id)
    except sns.exceptions.InvalidParameterException as error:
        if "pending confirmation" not in str(error):
            raise


RESOURCES = (
    Resource(
        type="aws:sns/topic:Topic",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-zA-Z0-9_-]{1,256}", "a topic's name: up to 256 of a-z A-Z 0-9 _ -"),
            ),
            "displayName": Property(Scalar.STRING),
            "kmsMasterKeyId": Property(Scalar.STRING),
            "policy": Property(Scalar.POLICY, computed=True),
        },
        outputs={
            "arn": Scalar.STRING,
            "owner": Scalar.STRING,
            "fifoTopic": Scalar.BOOLEAN,
            "maximumMessageSize": Scalar.INTEGER,
            "signatureVersion": Scalar.INTEGER,
            "tracingConfig": Scalar.STRING,
        },
        fixed={
            "namePrefix": "",
            "beginningArchiveTime": "",
            "fifoThroughputScope": "",
            "contentBasedDeduplication": False,
        }
        | {f"{receiver}SuccessFeedbackSampleRate": 0 for receiver in _RECEIVERS},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=256),
    ),
    Resource(
        type="aws:sns/topicPolicy:TopicPolicy",
        inputs={
            "arn": Property(Scalar.STRING, required=True, replaces=True, rule=is_arn),
            "policy": Property(Scalar.POLICY, required=True),
        },
        outputs={"owner": Scalar.STRING},
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
    ),
    Resource(
        type="aws:sns/topicSubscription:TopicSubscription",
        inputs={
            "topic": Property(Scalar.STRING, required=True, replaces=True, rule=is_arn),
            "protocol": Property(Scalar.STRING, required=True, replaces=True, rule=one_of(_PROTOCOLS)),
            "endpoint": Property(Scalar.STRING, required=True, replaces=True),
            "rawMessageDelivery": Property(Scalar.BOOLEAN, default=False),
            # Of HTTP endpoints alone, which the stand-in does not wait for.
            "confirmationTimeoutInMinutes": Property(Scalar.INTEGER, default=1, read_back=False),
            "endpointAutoConfirms": Property(Scalar.BOOLEAN, default=False, read_back=False),
        },
        outputs={
            "arn": Scalar.STRING,
            "ownerId": Scalar.STRING,
            "pendingConfirmation": Scalar.BOOLEAN,
            "confirmationWasAuthenticated": Scalar.BOOLEAN,
            "filterPolicyScope": Scalar.STRING,
        },
        create=_subscribe,
        complete=_complete_subscription,
        read=_read_subscription,
        update=_update_subscription,
        delete=_unsubscribe,
    ),
)
