"""A KMS key for secrets, with its alias."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.kms import Alias, Key


@dataclass
class EncryptionKeyArgs:
    """`policy` is the key policy, complete: AWS adds nothing to it."""

    alias: str
    """With the prefix ``alias/``."""
    description: str
    policy: dict[str, Any]
    tags: dict[str, str]
    signs: bool = False
    """Makes and verifies MACs (HMAC_256) instead of encrypting."""
    protect: bool = False
    """Without the key, nothing that it encrypted can be decrypted."""


class EncryptionKey(pulumi.ComponentResource):
    """A symmetric key with a deletion window of 30 days, the longest that AWS offers. KMS rotates it yearly, unless it
    signs: KMS does not rotate such keys."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:EncryptionKey", name, None, opts)
        key = Key(
            f"{name}-key",
            description=args.description,
            deletion_window_in_days=30,
            enable_key_rotation=not args.signs,
            customer_master_key_spec="HMAC_256" if args.signs else None,
            key_usage="GENERATE_VERIFY_MAC" if args.signs else None,
            policy=json.dumps(args.policy),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        alias = Alias(
            f"{name}-alias",
            name=args.alias,
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Known once the alias exists, so that users of the key can find it by name.
        self.arn = pulumi.Output.all(key.arn, alias.id).apply(lambda both: both[0])
        self.register_outputs({"arn": self.arn})
