"""The role with which people deploy a cell, and the boundaries of all roles of the cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.iam import Policy, Role, RolePolicyAttachment

from components.cell_boundary import cell_boundary
from components.iam.copies import Replica
from components.iam.people import people_limit, people_trust
from myflux_keys.aws_names import CellNames


@dataclass
class PeopleAccessArgs:
    """`principals` are ARNs of users and roles that may become the role; `project` is that of the cell's stacks."""

    names: CellNames
    principals: Sequence[str]
    project: str
    replicas: Sequence[Replica] = ()


class PeopleAccess(pulumi.ComponentResource):
    """Guarantees: both boundaries exist before the role does, and the role can change neither.

    The role's policy is its own boundary, so that no policy that is attached later allows more.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: PeopleAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:PeopleAccess", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        boundary = cell_boundary(name, names, args.replicas, child)
        limit = Policy(
            f"{name}-limit",
            name=names.people_role,
            description=f"The most that a person or a pipeline that deploys cell {names.cell} can ever do.",
            policy=json.dumps(people_limit(names, args.project)),
            tags=names.tags,
            opts=child,
        )
        role = Role(
            f"{name}-role",
            name=names.people_role,
            description=f"People who deploy cell {names.cell}. It cannot read a key.",
            assume_role_policy=json.dumps(people_trust(args.principals)),
            permissions_boundary=limit.arn,
            max_session_duration=3600,
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[boundary]),
        )
        attached = RolePolicyAttachment(f"{name}-attachment", role=role.name, policy_arn=limit.arn, opts=child)
        self.role_arn = pulumi.Output.all(role.arn, attached.id).apply(lambda both: str(both[0]))
        self.register_outputs({"role_arn": self.role_arn})
