"""The health function's schedule, the alarms on what it finds, and the dashboard."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws.cloudwatch import Dashboard

from components.cell_alarms import cell_alarms
from components.health_alarms import health_alarms
from components.health_dashboard import health_dashboard
from components.scheduled_call import ScheduledCallArgs, minutes_of, scheduled_call
from functions.health.pace import CALLED_EVERY_MINUTES
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import HEALTH


@dataclass
class HealthArgs:
    """`every_minutes` is the time from one cycle to the next, a multiple of CALLED_EVERY_MINUTES."""

    names: CellNames
    function_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]
    every_minutes: int


class Health(pulumi.ComponentResource):
    """Guarantees: a function that does not run, fails or does not finish raises an alarm; missing numbers do not."""

    def __init__(self, name: str, args: HealthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Health", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        scheduled_call(
            name,
            ScheduledCallArgs(
                names=names,
                rule=names.rule(HEALTH),
                description=f"Every {CALLED_EVERY_MINUTES} minutes: begins a cycle that is due, or finishes one.",
                schedule=schedule(names.cell),
                function_arn=args.function_arn,
                statement_id="TheScheduleLooks",
                target_id="health",
                event={"every_minutes": args.every_minutes},
            ),
            self,
        )
        alarms = health_alarms(args.every_minutes)
        cell_alarms(name, names, alarms, args.alarm_topic_arn, child)
        Dashboard(
            f"{name}-dashboard",
            dashboard_name=names.dashboard,
            dashboard_body=json.dumps(health_dashboard(names, alarms, args.every_minutes)),
            opts=child,
        )
        self.register_outputs({})


def schedule(cell: str) -> str:
    """Some minutes apart from the sweep, with which it shares OpenAI's Admin API."""
    return minutes_of(cell, every=CALLED_EVERY_MINUTES, later=5)
