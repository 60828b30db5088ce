"""The role with which a person reads one tenant's key, to paste it into a consumer's dashboard, and what tells its use.

Owns both resources. Leaves out who may become it and what it reads (`components/iam/handover.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.cloudwatch import EventRule, EventTarget
from pulumi_aws.iam import Role, RolePolicy

from components.iam import handover
from myflux_keys.aws_names import CellNames


@dataclass
class HandoverAccessArgs:
    """`principals` are ARNs of users, and of roles of people."""

    names: CellNames
    principals: Sequence[str]
    boundary_arn: pulumi.Input[str]
    alarm_topic_arn: pulumi.Input[str]


class HandoverAccess(pulumi.ComponentResource):
    """Guarantees: the rule that tells each use of the role has its target before anybody can become the role."""

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: HandoverAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:HandoverAccess", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        rule = EventRule(
            f"{name}-used",
            name=names.handover_rule,
            description="A person read a tenant's key by the hand-over role, or tried. docs/runbook.md#handoverused",
            event_pattern=json.dumps(used_pattern(names)),
            # Reads are read-only events, which a rule that is merely enabled does not get.
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            tags=names.tags,
            opts=child,
        )
        told = EventTarget(
            f"{name}-used-target", rule=rule.name, target_id="alarms", arn=args.alarm_topic_arn, opts=child
        )
        role = Role(
            f"{name}-role",
            name=names.handover_role,
            description="People read the key of the tenant that their session is tagged with, to paste it.",
            assume_role_policy=json.dumps(handover.handover_trust(args.principals)),
            permissions_boundary=args.boundary_arn,
            max_session_duration=3600,
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[told]),
        )
        read = RolePolicy(
            f"{name}-read",
            name="read",
            role=role.name,
            policy=json.dumps(handover.handover_read(names)),
            opts=child,
        )
        self.role_arn = pulumi.Output.all(role.arn, read.id).apply(lambda both: str(both[0]))
        self.register_outputs({"role_arn": self.role_arn})


def used_pattern(names: CellNames) -> dict[str, object]:
    """The pattern of every call of Secrets Manager by the role, denied ones too. The event holds no value.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
    """
    return {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [names.handover_role_arn]}}}},
    }
