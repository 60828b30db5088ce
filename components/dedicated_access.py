"""A KMS key and a role for one dedicated tenant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.iam import Role, RolePolicy

from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.iam import identity, resource
from myflux_keys.aws_names import TenantNames
from myflux_keys.cell_functions import FUNCTIONS


@dataclass
class DedicatedAccessArgs:
    """Principals are ARNs of IAM roles or users."""

    names: TenantNames
    runtime_principals: Sequence[str]
    deployer_principals: Sequence[str]
    governor_principals: Sequence[str] | None = None
    """ARNs that may create secrets under the key. Default: the deployers."""
    protect: bool = False
    customer: bool = False
    """The key is the customer's own: the deployers store it, so they may encrypt."""
    promoters: Sequence[str] = ()
    """ARNs of functions' roles that store a key that the customer handed in."""
    handed_over: bool = False
    """The hand-over role decrypts too."""


class DedicatedAccess(pulumi.ComponentResource):
    """Only this tenant's role, the rotation and the sweep may use the KMS key; the role may read one secret.

    The role has the cell's permissions boundary, which the platform creates.
    """

    kms_key_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DedicatedAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:DedicatedAccess", name, None, opts)
        names = args.names
        cell = names.cell
        child = pulumi.ResourceOptions(parent=self)
        key = EncryptionKey(
            f"{name}-key",
            EncryptionKeyArgs(
                alias=names.dedicated_kms_alias,
                description=f"Encrypts only the secret of tenant {names.tenant}",
                policy=resource.secrets_key(
                    cell,
                    users=[
                        names.dedicated_role_arn,
                        *(cell.function_role_arn(one) for one in FUNCTIONS if one.tenants != "none"),
                        *args.promoters,
                    ],
                    deployers=args.deployer_principals,
                    governors=args.governor_principals,
                    secrets=[names.secret_arn_pattern],
                    admin_key=False,
                    customers=[names.secret_arn_pattern] if args.customer else (),
                    handed_over=[names.secret_arn_pattern] if args.handed_over else (),
                ),
                tags=names.tags,
                protect=args.protect,
            ),
            child,
        )
        role = Role(
            f"{name}-role",
            name=names.dedicated_role,
            description=f"Reads only the key of tenant {names.tenant}.",
            assume_role_policy=json.dumps(identity.runtime_trust(args.runtime_principals, identity.only_tenant(names))),
            permissions_boundary=cell.policy_arn(cell.boundary_policy),
            max_session_duration=3600,
            tags=names.tags,
            opts=child,
        )
        read = RolePolicy(
            f"{name}-read",
            name="read",
            role=role.name,
            policy=json.dumps(identity.dedicated_read(names)),
            opts=child,
        )
        self.kms_key_arn = key.arn
        self.role_arn = pulumi.Output.all(role.arn, read.id).apply(lambda both: both[0])
        self.register_outputs({"kms_key_arn": self.kms_key_arn, "role_arn": self.role_arn})
