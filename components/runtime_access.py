"""The role through which the MyFlux runtime reads keys, one tenant at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.iam import Policy, Role, RolePolicyAttachment

from components.iam import identity
from components.iam.copies import Replica
from myflux_keys.aws_names import CellNames
from myflux_keys.names import TAG_TENANT


@dataclass
class RuntimeAccessArgs:
    """`boundary_arn` is the permissions boundary that the runtime's role gets."""

    names: CellNames
    principals: Sequence[str]
    """ARNs that may assume the runtime role."""
    boundary_arn: pulumi.Input[str]
    replicas: Sequence[Replica] = ()
    """Other Regions in which it reads replicas."""
    federation: bool = False
    """Sessions may have tokens in place of a key."""
    after: Sequence[pulumi.Resource] = ()
    """What makes those principals that are roles of the cell: IAM trusts no role that does not exist."""


class RuntimeAccess(pulumi.ComponentResource):
    """One role for all tenants: the session's tag `tenant` decides which secret it may read.

    An account has at most 1,000 roles, so one role per tenant would limit the number of tenants:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RuntimeAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:RuntimeAccess", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        role = Role(
            f"{name}-role",
            name=names.runtime_role,
            description="Reads the key of the tenant that its session is tagged with.",
            assume_role_policy=json.dumps(identity.runtime_trust(args.principals, identity.any_tenant())),
            permissions_boundary=args.boundary_arn,
            max_session_duration=3600,
            # AWS does not say whether a token has its role's tags beside its session's, so the role is of no tenant.
            # Its `denied-sessions` is no resource of a stack, and AWS deletes no role with a policy.
            force_detach_policies=args.federation or None,
            tags={tag: value for tag, value in names.tags.items() if not (args.federation and tag == TAG_TENANT)},
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.after),
        )
        read = Policy(
            f"{name}-read",
            name=names.read_policy,
            description="A session reads the secret whose tenant tag equals its own.",
            policy=json.dumps(identity.runtime_read(names, args.replicas, federation=args.federation)),
            tags=names.tags,
            opts=child,
        )
        attachment = RolePolicyAttachment(f"{name}-attachment", role=role.name, policy_arn=read.arn, opts=child)
        self.role_arn = pulumi.Output.all(role.arn, attachment.id).apply(lambda both: both[0])
        self.register_outputs({"role_arn": self.role_arn})
