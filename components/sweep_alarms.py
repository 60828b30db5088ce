"""One alarm for each metric of the sweep, as a table and the resources made from it.

Owns thresholds and descriptions. Leaves out the metrics (`functions/sweep/metrics.py`). Each tenant is swept at least
once a day, so an alarm on its keys covers a day: it is raised within the hour, and cleared after a day without the
problem. Comparisons of secrets with projects are made in every run, and their alarms cover two hours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws.cloudwatch import MetricAlarm

from myflux_keys.aws_names import CellNames
from myflux_keys.consumers import CONSUMERS
from myflux_keys.names import METRICS

RUNBOOK: Final = "docs/runbook.md"
_HOUR: Final = 3600
LOOK_BACK: Final = 2
"""Hours, for metrics that every scheduled run reports for the whole cell, twice an hour."""


@dataclass(frozen=True)
class SweepAlarm:
    """The alarm is raised if in `of_them` of the last `hours` the statistic compares with `at` as `comparison` says."""

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
    SweepAlarm("RotationOverdue", "A tenant's key was not rotated in time, or its rotation is disabled."),
    SweepAlarm("OrphanKeys", "The sweep found orphaned keys of ours and revoked them."),
    *(
        SweepAlarm("OldKeyStillUsed", f"An old key expires soon, but {one.name} still uses it.", consumer=one.name)
        for one in CONSUMERS
    ),
    SweepAlarm("OldKeyAlive", "A key that should be revoked is still valid."),
    SweepAlarm("LiveKeyMissing", "OpenAI no longer has the key in a tenant's secret: the tenant's calls fail."),
    SweepAlarm("ForeignKeys", "A tenant's project has a key that MyFlux Keys did not create."),
    SweepAlarm(
        "SecretDeleted",
        "A tenant's secret is scheduled for deletion, but its keys are still valid at OpenAI.",
        hours=LOOK_BACK,
    ),
    SweepAlarm("SecretMissing", "OpenAI has a tenant's project for which there is no secret.", hours=LOOK_BACK),
    SweepAlarm(
        "SecretMistagged", "A secret's tags do not match its name, so it is not found by its tags.", hours=LOOK_BACK
    ),
    SweepAlarm(
        "ProjectMissing", "A tenant's OpenAI project is archived or missing: the tenant's calls fail.", hours=LOOK_BACK
    ),
    SweepAlarm(
        "TrustedPrincipalGone", "A user or role that reads tenants' keys was deleted: one made anew cannot read them."
    ),
    SweepAlarm("GovernanceChanged", "OpenAI refuses keys such as ours: the next rotations will fail."),
    SweepAlarm(
        "AdminKeyDaysLeft",
        "The admin key expires soon.",
        at=14,
        comparison="LessThanThreshold",
        statistic="Minimum",
        hours=1,
    ),
    SweepAlarm("CustomerKeyAgeDays", "A customer's own key is older than 90 days: ask for a new one.", at=90),
    SweepAlarm(
        "SweepUnfinished",
        "For three hours the sweep did not run, failed, or did not finish.",
        hours=3,
        of_them=3,
        silence="breaching",
    ),
)


def link(metric: str) -> str:
    """The section of the runbook for a metric; anchors are in lower case."""
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
