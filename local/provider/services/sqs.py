"""SQS queues and their policies. A queue's id is its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import between, matches

_ATTRIBUTES = {
    "delaySeconds": "DelaySeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def _text(value: Any) -> str:
    """SQS takes every attribute as text; an empty text removes the attribute."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create(aws: Aws, inputs: State) -> Created:
    attributes = {
        theirs: _text(inputs[ours]) for ours, theirs in _ATTRIBUTES.items() if inputs.get(ours) not in (None, "")
    }
    made = aws.client("sqs").create_queue(
        QueueName=inputs["name"], Attributes=attributes, tags=dict(inputs.get("tags") or {})
    )
    return Created(made["QueueUrl"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    sqs = aws.client("sqs")
    held = sqs.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
    return {
        "url": id,
        "name": held["QueueArn"].rsplit(":", 1)[-1],
        "arn": held["QueueArn"],
        "delaySeconds": int(held.get("DelaySeconds", 0)),
        "kmsMasterKeyId": held.get("KmsMasterKeyId", ""),
        "kmsDataKeyReusePeriodSeconds": int(held.get("KmsDataKeyReusePeriodSeconds", 300)),
        "maxMessageSize": int(held["MaximumMessageSize"]),
        "messageRetentionSeconds": int(held["MessageRetentionPeriod"]),
        "receiveWaitTimeSeconds": int(held.get("ReceiveMessageWaitTimeSeconds", 0)),
        "redrivePolicy": held.get("RedrivePolicy"),
        "sqsManagedSseEnabled": held.get("SqsManagedSseEnabled", "false") == "true",
        "visibilityTimeoutSeconds": int(held["VisibilityTimeout"]),
        "fifoQueue": held.get("FifoQueue") == "true",
        "tags": sqs.list_queue_tags(QueueUrl=id).get("Tags", {}),
    }


def _update(aws: Aws, change: Change) -> State:
    attributes = {_ATTRIBUTES[name]: _text(change.new.get(name)) for name in change.changed if name in _ATTRIBUTES}
    if attributes:
        aws.client("sqs").set_queue_attributes(QueueUrl=change.id, Attributes=attributes)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("sqs").delete_queue(QueueUrl=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    sqs = aws.client("sqs")
    if remove:
        sqs.untag_queue(QueueUrl=id, TagKeys=list(remove))
    if add:
        sqs.tag_queue(QueueUrl=id, Tags=dict(add))


def _conflicts(inputs: State) -> list[tuple[str, str]]:
    if inputs.get("kmsMasterKeyId") and inputs.get("sqsManagedSseEnabled") is True:
        return [("sqsManagedSseEnabled", "conflicts with kmsMasterKeyId: a queue is encrypted by one of them")]
    return []


def _put_policy(aws: Aws, url: str, policy: str) -> None:
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def _create_policy(aws: Aws, inputs: State) -> Created:
    _put_policy(aws, inputs["queueUrl"], inputs["policy"])
    return Created(inputs["queueUrl"])


def _read_policy(aws: Aws, id: str, _prior: State) -> State | None:
    held = aws.client("sqs").get_queue_attributes(QueueUrl=id, AttributeNames=["Policy"]).get("Attributes", {})
    return {"queueUrl": id, "policy": held["Policy"]} if held.get("Policy") else None


def _update_policy(aws: Aws, change: Change) -> State:
    _put_policy(aws, change.id, change.new["policy"])
    return {}


def _delete_policy(aws: Aws, id: str, _state: State) -> None:
    _put_policy(aws, id, "")


RESOURCES = (
    Resource(
        type="aws:sqs/queue:Queue",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-zA-Z0-9_-]{1,80}", "a queue's name: up to 80 of a-z A-Z 0-9 _ -"),
            ),
            "delaySeconds": Property(Scalar.INTEGER, default=0, rule=between(0, 900)),
            "messageRetentionSeconds": Property(Scalar.INTEGER, default=345600, rule=between(60, 1209600)),
            "receiveWaitTimeSeconds": Property(Scalar.INTEGER, default=0, rule=between(0, 20)),
            "visibilityTimeoutSeconds": Property(Scalar.INTEGER, default=30, rule=between(0, 43200)),
            "redrivePolicy": Property(Scalar.JSON, computed=True),
            "kmsMasterKeyId": Property(Scalar.STRING),
            "sqsManagedSseEnabled": Property(Scalar.BOOLEAN, computed=True),
        },
        outputs={
            "arn": Scalar.STRING,
            "url": Scalar.STRING,
            "fifoQueue": Scalar.BOOLEAN,
            "kmsDataKeyReusePeriodSeconds": Scalar.INTEGER,
            "maxMessageSize": Scalar.INTEGER,
        },
        fixed={
            "namePrefix": "",
            "deduplicationScope": "",
            "fifoThroughputLimit": "",
            "contentBasedDeduplication": False,
        },
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=80),
        conflicts=_conflicts,
    ),
    Resource(
        type="aws:sqs/queuePolicy:QueuePolicy",
        inputs={
            "queueUrl": Property(Scalar.STRING, required=True, replaces=True),
            "policy": Property(Scalar.POLICY, required=True),
        },
        outputs={},
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
    ),
)
