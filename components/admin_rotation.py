"""The admin key's rotation: Secrets Manager's schedule for the new key, and a daily rule that revokes the old one."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws.lambda_ import Permission
from pulumi_aws.secretsmanager import SecretRotation

from components.scheduled_call import ScheduledCallArgs, scheduled_call
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ADMIN_ROTATION
from myflux_keys.names import TAG_EVERY_DAYS, TAG_OVERLAP_HOURS


@dataclass
class AdminKeyLife:
    """How often the admin key rotates, and how long the previous one stays valid."""

    schedule: str
    """A Secrets Manager cron expression."""
    window: str
    """How long after the scheduled time AWS may still start, e.g. ``4h``."""
    every_days: int
    overlap_hours: int

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the secret from which the function reads both."""
        return {TAG_EVERY_DAYS: str(self.every_days), TAG_OVERLAP_HOURS: str(self.overlap_hours)}


@dataclass
class AdminRotationArgs:
    """`secret_arn` is the cell's admin secret, `function_arn` what rotates it; `life` gives days and hours."""

    names: CellNames
    secret_arn: pulumi.Input[str]
    function_arn: pulumi.Input[str]
    life: AdminKeyLife


class AdminRotation(pulumi.ComponentResource):
    """Guarantees: Secrets Manager's permission exists before the rotation, and nothing rotates at once, since a person
    stores the first admin key later.
    """

    def __init__(self, name: str, args: AdminRotationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:AdminRotation", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        rotates = Permission(
            f"{name}-permission",
            statement_id="SecretsManagerRotatesTheAdminKey",
            action="lambda:InvokeFunction",
            function=args.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=names.account_id,
            source_arn=names.admin_secret_arn_pattern,
            opts=child,
        )
        SecretRotation(
            f"{name}-rotation",
            secret_id=args.secret_arn,
            rotation_lambda_arn=args.function_arn,
            rotation_rules={"schedule_expression": args.life.schedule, "duration": args.life.window},
            rotate_immediately=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rotates]),
        )
        scheduled_call(
            f"{name}-tidy",
            ScheduledCallArgs(
                names=names,
                rule=names.rule(ADMIN_ROTATION),
                description="Once a day: deletes admin keys that were replaced, or left by a failed rotation.",
                schedule="rate(1 day)",
                function_arn=args.function_arn,
                statement_id="TheDailyRuleTidies",
                target_id="admin-rotation",
                event={"action": "tidy"},
            ),
            self,
        )
        self.register_outputs({})
