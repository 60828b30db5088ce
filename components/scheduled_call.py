"""A function that EventBridge calls on a schedule."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import EventRule, EventTarget
from pulumi_aws.lambda_ import Permission

from myflux_keys.aws_names import CellNames


@dataclass
class ScheduledCallArgs:
    """`statement_id` and `target_id` name the permission and the target within function and rule."""

    names: CellNames
    rule: str
    """The rule's name in AWS."""
    description: str
    schedule: str
    """EventBridge's ``cron(…)`` or ``rate(…)``."""
    function_arn: pulumi.Input[str]
    statement_id: str
    target_id: str
    event: dict[str, Any]
    """The event that the function receives."""


def scheduled_call(name: str, args: ScheduledCallArgs, parent: pulumi.Resource) -> None:
    """The rule's permission exists before its target, so that no call fails."""
    child = pulumi.ResourceOptions(parent=parent)
    rule = EventRule(
        f"{name}-rule",
        name=args.rule,
        description=args.description,
        schedule_expression=args.schedule,
        tags=args.names.tags,
        opts=child,
    )
    permission = Permission(
        f"{name}-permission",
        statement_id=args.statement_id,
        action="lambda:InvokeFunction",
        function=args.function_arn,
        principal="events.amazonaws.com",
        source_account=args.names.account_id,
        source_arn=rule.arn,
        opts=child,
    )
    EventTarget(
        f"{name}-target",
        rule=rule.name,
        target_id=args.target_id,
        arn=args.function_arn,
        input=json.dumps(args.event),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[permission]),
    )


def minutes_of(cell: str, *, every: int, later: int = 0) -> str:
    """A schedule for each `every` minutes of the clock, at minutes that differ for each cell by a hash. `later` keeps
    two functions of one cell apart, in minutes.

    EventBridge's cron, not ``rate()``, which counts from the time when the rule was made.
    """
    minute = int.from_bytes(hashlib.sha256(cell.encode()).digest()[:8], "big") + later
    return f"cron({minute % every}/{every} * * * ? *)"
