"""CloudWatch Logs groups, with the official plugin's type name: `aws:cloudwatch/logGroup`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import matches, one_of

_DAYS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The values that PutRetentionPolicy takes; 0 means that log events never expire."""


def _create(aws: Aws, inputs: State) -> Created:
    request: dict[str, Any] = {"logGroupName": inputs["name"]}
    request |= {"tags": inputs["tags"]} if inputs.get("tags") else {}
    request |= {"kmsKeyId": inputs["kmsKeyId"]} if inputs.get("kmsKeyId") else {}
    aws.client("logs").create_log_group(**request)
    return Created(inputs["name"])


def _complete(aws: Aws, id: str, inputs: State) -> None:
    if inputs["retentionInDays"]:
        aws.client("logs").put_retention_policy(logGroupName=id, retentionInDays=inputs["retentionInDays"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    logs = aws.client("logs")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=id)
    group = next((each for page in pages for each in page["logGroups"] if each["logGroupName"] == id), None)
    if group is None:
        return None
    arn = group["arn"].removesuffix(":*")
    return {
        "name": group["logGroupName"],
        "arn": arn,
        "retentionInDays": group.get("retentionInDays", 0),
        "kmsKeyId": group.get("kmsKeyId", ""),
        "logGroupClass": group.get("logGroupClass", "STANDARD"),
        "deletionProtectionEnabled": group.get("deletionProtectionEnabled", False),
        "tags": logs.list_tags_for_resource(resourceArn=arn).get("tags", {}),
    }


def _update(aws: Aws, change: Change) -> State:
    logs, new = aws.client("logs"), change.new
    if "retentionInDays" in change.changed:
        if new["retentionInDays"]:
            logs.put_retention_policy(logGroupName=change.id, retentionInDays=new["retentionInDays"])
        else:
            logs.delete_retention_policy(logGroupName=change.id)
    if "kmsKeyId" in change.changed:
        if new.get("kmsKeyId"):
            logs.associate_kms_key(logGroupName=change.id, kmsKeyId=new["kmsKeyId"])
        else:
            logs.disassociate_kms_key(logGroupName=change.id)
    return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    if not state.get("skipDestroy"):
        aws.client("logs").delete_log_group(logGroupName=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    logs = aws.client("logs")
    arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account_id}:log-group:{id}"
    if remove:
        logs.untag_resource(resourceArn=arn, tagKeys=list(remove))
    if add:
        logs.tag_resource(resourceArn=arn, tags=dict(add))


RESOURCES = (
    Resource(
        type="aws:cloudwatch/logGroup:LogGroup",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[A-Za-z0-9_/.#-]{1,512}", "a log group's name: up to 512 of A-Z a-z 0-9 _ / . # -"),
            ),
            "retentionInDays": Property(Scalar.INTEGER, default=0, rule=one_of(_DAYS)),
            "kmsKeyId": Property(Scalar.STRING),
            "skipDestroy": Property(Scalar.BOOLEAN, default=False, read_back=False),
        },
        outputs={
            "arn": Scalar.STRING,
            "logGroupClass": Scalar.STRING,
            "deletionProtectionEnabled": Scalar.BOOLEAN,
        },
        fixed={"namePrefix": ""},
        create=_create,
        complete=_complete,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=512),
    ),
)
