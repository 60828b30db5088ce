"""An alarm for each thing that a sweep may find, as a table and the resources made of it.

Owns thresholds and words. Leaves out the numbers themselves (`functions/sweep/metrics.py`). A tenant is looked at once
a day at least, so an alarm on its keys looks back a day: it rings within the hour and is quiet when a whole day found
nothing. What one side of the cell has and another has not is judged at every run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws.cloudwatch import MetricAlarm

from myflux_keys.cell_names import CellNames
from myflux_keys.consumers import CONSUMERS
from myflux_keys.names import METRICS

RUNBOOK: Final = "docs/runbook.md"
_HOUR: Final = 3600
LOOK_BACK: Final = 2
"""Hours, for what every scheduled run judges for the whole cell, twice an hour."""


@dataclass(frozen=True)
class SweepAlarm:
    """`at` and `comparison` say when it rings; `hours` are looked back on, of which `of_them` must be bad."""

    metric: str
    says: str
    at: float = 0
    comparison: str = "GreaterThanThreshold"
    statistic: str = "Maximum"
    hours: int = 24
    of_them: int = 1
    silence: str = "notBreaching"
    consumer: str | None = None

    def name(self, names: CellNames) -> str:
        words = re.sub(r"(?<!^)(?=[A-Z])", "-", self.metric).lower()
        return names.alarm(words + (f"-by-{self.consumer}" if self.consumer else ""))


ALARMS: Final = (
    SweepAlarm("RotationOverdue", "A tenant's key was not rotated in time, or its rotation is off."),
    SweepAlarm("OrphanKeys", "Keys of ours that nobody should hold were found, and ended by the sweep."),
    *(
        SweepAlarm("OldKeyStillUsed", f"An old key is about to die, and {one.name} still uses it.", consumer=one.name)
        for one in CONSUMERS
    ),
    SweepAlarm("OldKeyAlive", "A key that should be dead still answers."),
    SweepAlarm("LiveKeyMissing", "The key that a tenant's secret holds is gone at OpenAI: its calls fail."),
    SweepAlarm("ForeignKeys", "A tenant's project holds a key that we did not make."),
    SweepAlarm(
        "SecretDeleted", "A tenant's secret is scheduled for deletion, and its keys live on at OpenAI.", hours=LOOK_BACK
    ),
    SweepAlarm("SecretMissing", "OpenAI has a tenant's project, and no secret leads to it.", hours=LOOK_BACK),
    SweepAlarm("SecretMistagged", "A secret's tags do not fit its name: nothing finds it by them.", hours=LOOK_BACK),
    SweepAlarm("ProjectMissing", "A tenant's OpenAI project is archived or gone: its calls fail.", hours=LOOK_BACK),
    SweepAlarm("GovernanceChanged", "OpenAI refuses keys such as ours: the next rotations will fail."),
    SweepAlarm(
        "AdminKeyDaysLeft",
        "The admin key dies soon.",
        at=14,
        comparison="LessThanThreshold",
        statistic="Minimum",
        hours=1,
    ),
    SweepAlarm("CustomerKeyAgeDays", "A customer's own key is older than 90 days: ask for a new one.", at=90),
    SweepAlarm(
        "SweepUnfinished",
        "For three hours the sweep was silent, failed, or did not get through.",
        hours=3,
        of_them=3,
        silence="breaching",
    ),
)


def link(metric: str) -> str:
    """Where the runbook explains a metric. Headings become anchors in lower case."""
    return f"{RUNBOOK}#{metric.lower()}"


def sweep_alarms(
    name: str, names: CellNames, topic_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
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
            period=_HOUR,
            evaluation_periods=alarm.hours,
            datapoints_to_alarm=alarm.of_them,
            treat_missing_data=alarm.silence,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            tags=names.tags,
            opts=opts,
        )
        for alarm in ALARMS
    ]
