"""An alarm at the first occurrence of an event that should never happen."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws.cloudwatch import MetricAlarm


@dataclass
class AnyOccurrenceArgs:
    """A CloudWatch metric by `namespace`, `metric` and `dimensions`, and the topic that the alarm notifies."""

    name: str
    description: str
    namespace: str
    metric: str
    statistic: str
    dimensions: dict[str, str]
    topic_arn: pulumi.Input[str]
    tags: dict[str, str]


def any_occurrence(name: str, args: AnyOccurrenceArgs, opts: pulumi.ResourceOptions) -> MetricAlarm:
    """Evaluates periods of five minutes; missing data does not raise the alarm."""
    return MetricAlarm(
        name,
        name=args.name,
        alarm_description=args.description,
        namespace=args.namespace,
        metric_name=args.metric,
        dimensions=args.dimensions,
        statistic=args.statistic,
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=300,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[args.topic_arn],
        tags=args.tags,
        opts=opts,
    )
