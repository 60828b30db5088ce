"""A Lambda function that may read the admin key, with its role, log group and alarm.

Owns the settings that all functions share. Leaves out their permissions (`components/iam/functions.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.iam import Role, RolePolicy
from pulumi_aws.lambda_ import Function

from components.iam import identity
from components.occurrence_alarm import AnyOccurrenceArgs, any_occurrence

RUNTIME = "python3.13"


@dataclass
class KeyFunctionArgs:
    """`permissions` is the role's inline policy; names, `timeout_seconds` (seconds), days and `reserved`
    executions as AWS takes them."""

    name: str
    """Name of the function and of its role."""
    description: str
    archive: str
    """Path of the deterministic zip."""
    handler: str
    permissions: dict[str, Any]
    boundary_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]
    environment: dict[str, str]
    timeout_seconds: int
    reserved: int
    log_retention_days: int
    log_group: str
    tags: dict[str, str]
    after: Sequence[pulumi.Resource] = ()
    """Made before the function, and deleted after it."""


class KeyFunction(pulumi.ComponentResource):
    """A function with its own role and permissions boundary, logs that expire, dead letters, and an alarm on any error.

    The log group exists before the function, since Lambda would create one that keeps logs for ever.
    """

    arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: KeyFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:KeyFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = Role(
            f"{name}-role",
            name=args.name,
            description=args.description,
            assume_role_policy=json.dumps(identity.function_trust()),
            permissions_boundary=args.boundary_arn,
            tags=args.tags,
            opts=child,
        )
        permissions = RolePolicy(
            f"{name}-permissions",
            name="permissions",
            role=role.name,
            policy=json.dumps(args.permissions),
            opts=child,
        )
        logs = LogGroup(
            f"{name}-logs",
            name=args.log_group,
            retention_in_days=args.log_retention_days,
            tags=args.tags,
            opts=child,
        )
        function = Function(
            f"{name}-function",
            name=args.name,
            description=args.description,
            role=role.arn,
            runtime=RUNTIME,
            handler=args.handler,
            code=pulumi.FileArchive(args.archive),
            timeout=args.timeout_seconds,
            memory_size=256,
            architectures=["arm64"],
            reserved_concurrent_executions=args.reserved,
            dead_letter_config={"target_arn": args.dead_letter_arn},
            environment={"variables": args.environment},
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions, logs, *args.after]),
        )
        any_occurrence(
            f"{name}-errors",
            AnyOccurrenceArgs(
                name=f"{args.name}-errors",
                description=f"{args.name} failed; see its log group {args.log_group}. docs/runbook.md#errors",
                namespace="AWS/Lambda",
                metric="Errors",
                statistic="Sum",
                dimensions={"FunctionName": args.name},
                topic_arn=args.alarm_topic_arn,
                tags=args.tags,
            ),
            child,
        )
        self.arn = function.arn
        self.role_arn = role.arn
        self.register_outputs({"arn": self.arn, "role_arn": self.role_arn})
