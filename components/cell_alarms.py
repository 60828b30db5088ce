"""Alarms on metrics that a function reports for its whole cell: a row of a table to a resource.

Owns the row's form. Leaves out the tables (`sweep_alarms`, `health_alarms`) and the metrics, which functions own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws.cloudwatch import MetricAlarm

from myflux_keys.aws_names import CellNames
from myflux_keys.names import METRICS

RUNBOOK: Final = "docs/runbook.md"
HOUR: Final = 3600


@dataclass(frozen=True)
class CellAlarm:
    """The alarm is raised if in `of_them` of the last `periods` the statistic compares with `at` as `comparison` says.
    `period` in seconds."""

    metric: str
    says: str
    at: float = 0
    comparison: str = "GreaterThanThreshold"
    statistic: str = "Maximum"
    period: int = HOUR
    periods: int = 24
    of_them: int = 1
    silence: str = "notBreaching"
    consumer: str | None = None
    notifies: bool = True
    """Whether it sends a message. An alarm without one is a state that dashboards and `doctor` show."""

    def name(self, names: CellNames) -> str:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", self.metric).lower()
        return names.alarm(words + (f"-by-{self.consumer}" if self.consumer else ""))


def link(metric: str) -> str:
    """The section of the runbook for a metric; anchors are in lower case."""
    return f"{RUNBOOK}#{metric.lower()}"


def cell_alarms(
    name: str,
    names: CellNames,
    alarms: Iterable[CellAlarm],
    topic_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[MetricAlarm]:
    return [
        MetricAlarm(
            f"{name}-{alarm.metric}" + (f"-{alarm.consumer}" if alarm.consumer else ""),
            name=alarm.name(names),
            alarm_description=f"{alarm.says} {link(alarm.metric)}",
            namespace=METRICS,
            metric_name=alarm.metric,
            dimensions={"Cell": names.cell} | ({"Consumer": alarm.consumer} if alarm.consumer else {}),
            statistic=alarm.statistic,
            comparison_operator=alarm.comparison,
            threshold=alarm.at,
            period=alarm.period,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.of_them,
            treat_missing_data=alarm.silence,
            alarm_actions=[topic_arn] if alarm.notifies else None,
            ok_actions=[topic_arn] if alarm.notifies else None,
            tags=names.tags,
            opts=opts,
        )
        for alarm in alarms
    ]
