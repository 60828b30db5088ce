"""A secret without a value, shut to everybody but those whom its policy names."""

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
    """`policy` is the secret's resource policy, `name` its name without the ARN's ending."""

    name: str
    description: str
    kms_key_arn: pulumi.Input[str]
    policy: dict[str, Any]
    tags: Mapping[str, pulumi.Input[str]]
    recovery_window_days: int
    """7 to 30: how long a deleted secret can be restored."""
    replicas: Sequence[Replica] = ()
    """Copies in other Regions: each with its secret's tags and policy, under a key of its own Region."""
    protect: bool = False
    adopt: str | None = None
    """The ARN of a secret that exists already: it is imported as it is, and the next update brings it in line."""


class EmptySecret(pulumi.ComponentResource):
    """The place for a key, never the key: no version is made here, so no value can reach the state.

    `arn` is known only once the policy is attached: whoever builds on it, rotation above all, comes after the lock.
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
                # An import changes nothing, so what it finds may differ from what is wanted.
                ignore_changes=_MAY_DIFFER if args.adopt else None,
            ),
        )
        policy = SecretPolicy(
            f"{name}-policy",
            secret_arn=secret.arn,
            policy=json.dumps(args.policy),
            block_public_policy=True,
            # Destroying takes the policy off before the secret; in between the key would lie open to every identity
            # policy in the account. The policy dies with its secret instead.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        self.arn = pulumi.Output.all(secret.arn, policy.id).apply(lambda both: both[0])
        self.register_outputs({"arn": self.arn})
