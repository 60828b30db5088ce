"""CloudWatch alarms on one metric. PutMetricAlarm replaces the whole alarm, so an update calls it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.model import AutoName, Change, Created, ListOf, MapOf, Property, Resource, Scalar, State
from local.provider.rules import one_of
from local.provider.services.tags import mapped, pairs

_FIELDS = {
    "actionsEnabled": "ActionsEnabled",
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}
_COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)


def _put(aws: Aws, inputs: State, tags: Mapping[str, str]) -> None:
    request = {theirs: inputs[ours] for ours, theirs in _FIELDS.items() if inputs.get(ours) is not None}
    dimensions = [{"Name": name, "Value": value} for name, value in sorted((inputs.get("dimensions") or {}).items())]
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=inputs["name"],
        **request,
        **({"Dimensions": dimensions} if dimensions else {}),
        **({"Tags": pairs(tags)} if tags else {}),
    )


def _create(aws: Aws, inputs: State) -> Created:
    _put(aws, inputs, inputs.get("tags") or {})
    return Created(inputs["name"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    client = aws.client("cloudwatch")
    found = client.describe_alarms(AlarmNames=[id], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if not found:
        return None
    alarm: Mapping[str, Any] = found[0]
    seen = {ours: alarm.get(theirs) for ours, theirs in _FIELDS.items()}
    return seen | {
        "name": alarm["AlarmName"],
        "arn": alarm["AlarmArn"],
        "datapointsToAlarm": alarm.get("DatapointsToAlarm", 0),
        "evaluateLowSampleCountPercentiles": alarm.get("EvaluateLowSampleCountPercentile", ""),
        "treatMissingData": alarm.get("TreatMissingData") or "missing",
        "dimensions": {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or ()},
        "tags": mapped(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"]).get("Tags")),
    }


def _update(aws: Aws, change: Change) -> State:
    _put(aws, change.new, {})
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    aws.client("cloudwatch").delete_alarms(AlarmNames=[id])


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    client = aws.client("cloudwatch")
    arn = f"arn:{aws.partition}:cloudwatch:{aws.region}:{aws.account_id}:alarm:{id}"
    if remove:
        client.untag_resource(ResourceARN=arn, TagKeys=list(remove))
    if add:
        client.tag_resource(ResourceARN=arn, Tags=pairs(add))


_actions = Property(ListOf(Scalar.STRING, unordered=True))

RESOURCES = (
    Resource(
        type="aws:cloudwatch/metricAlarm:MetricAlarm",
        inputs={
            "name": Property(Scalar.STRING, replaces=True),
            "alarmDescription": Property(Scalar.STRING),
            "comparisonOperator": Property(Scalar.STRING, required=True, rule=one_of(_COMPARISONS)),
            "evaluationPeriods": Property(Scalar.INTEGER, required=True),
            "datapointsToAlarm": Property(Scalar.INTEGER),
            "metricName": Property(Scalar.STRING, required=True),
            "namespace": Property(Scalar.STRING, required=True),
            "period": Property(Scalar.INTEGER, required=True),
            "statistic": Property(
                Scalar.STRING, required=True, rule=one_of(("SampleCount", "Average", "Sum", "Minimum", "Maximum"))
            ),
            "threshold": Property(Scalar.NUMBER, required=True),
            "unit": Property(Scalar.STRING),
            "dimensions": Property(MapOf(Scalar.STRING)),
            "actionsEnabled": Property(Scalar.BOOLEAN, default=True),
            "alarmActions": _actions,
            "okActions": _actions,
            "insufficientDataActions": _actions,
            "treatMissingData": Property(
                Scalar.STRING, default="missing", rule=one_of(("breaching", "notBreaching", "ignore", "missing"))
            ),
        },
        outputs={"arn": Scalar.STRING, "evaluateLowSampleCountPercentiles": Scalar.STRING},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=255),
    ),
)
