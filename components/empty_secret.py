"""A secret without a value, with a policy that denies everybody except named principals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws.secretsmanager import Secret, SecretPolicy

from components.iam.copies import Replica

_MAY_DIFFER: Final = ["description", "kmsKeyId", "recoveryWindowInDays", "replicas", "tags"]


@dataclass
class EmptySecretArgs:
    """`policy` is the secret's resource policy, `name` its name without the random suffix of its ARN."""

    name: str
    description: str
    kms_key_arn: pulumi.Input[str]
    policy: dict[str, Any]
    tags: Mapping[str, pulumi.Input[str]]
    recovery_window_days: int
    """Days that a deleted secret can be restored, 7 to 30."""
    replicas: Sequence[Replica] = ()
    """Replicas in other Regions: each has the secret's tags and policy, and a KMS key of its Region."""
    after: Sequence[pulumi.Resource] = ()
    """What must be there before the policy says what it does."""
    protect: bool = False
    adopt: str | None = None
    """The ARN of an existing secret: it is imported unchanged, and the next update sets the arguments."""


class EmptySecret(pulumi.ComponentResource):
    """A secret without a version, so that no value can reach Pulumi's state.

    `arn` is known once the policy is attached, so what depends on it, such as the rotation, comes after the policy.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: EmptySecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:EmptySecret", name, None, opts)
        secret = Secret(
            f"{name}-secret",
            name=args.name,
            description=args.description,
            kms_key_id=args.kms_key_arn,
            recovery_window_in_days=args.recovery_window_days,
            replicas=[{"region": one.region, "kms_key_id": one.kms_key_arn} for one in args.replicas] or None,
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                import_=args.adopt,
                # An import must not change anything, so these properties may differ.
                ignore_changes=_MAY_DIFFER if args.adopt else None,
            ),
        )
        policy = SecretPolicy(
            f"{name}-policy",
            secret_arn=secret.arn,
            policy=json.dumps(args.policy),
            block_public_policy=True,
            # Destroy would delete the policy before the secret, and in between any identity policy of the account
            # could allow reading the key. So the policy is deleted with its secret.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=args.after),
        )
        self.arn = pulumi.Output.all(secret.arn, policy.id).apply(lambda both: both[0])
        self.register_outputs({"arn": self.arn})
