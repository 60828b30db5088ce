"""The role with which a CI pipeline deploys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws.iam import Policy, Role, RolePolicy, RolePolicyAttachment

from components.iam.copies import Replica
from components.iam.deployer_connect import deployer_connect
from components.iam.deployer_permissions import deployer_looks, deployer_permissions
from components.iam.deployer_state import State, deployer_state
from components.iam.deployer_trust import Job, deployer_trust
from components.iam.grants import Deploys
from myflux_keys.aws_names import CellNames


@dataclass
class DeployerArgs:
    """`job` may assume the role, `deploys` says which stacks it deploys, `state` where Pulumi's state is."""

    names: CellNames
    job: Job
    deploys: Deploys
    state: State
    replicas: Sequence[Replica] = ()
    boundary_arn: str | None = None
    """What limits the role, where the bootstrap made it."""
    connect: bool = False
    """Whether the platform has the connect page."""


class Deployer(pulumi.ComponentResource):
    """Guarantees: only one pipeline may assume the role; it cannot read or write a key, or extend its own permissions.

    A person deploys this role, since it cannot change itself. It does not have the boundary of the cell's other roles,
    which allows nothing that a deployment needs.
    """

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DeployerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:Deployer", name, None, opts)
        names = args.names
        child = pulumi.ResourceOptions(parent=self)
        role = Role(
            f"{name}-role",
            name=names.deployer_role,
            description=f"The pipeline that deploys cell {names.cell}. It cannot read a key.",
            assume_role_policy=json.dumps(deployer_trust(names, args.job)),
            permissions_boundary=args.boundary_arn,
            max_session_duration=3600,
            tags=names.tags,
            opts=child,
        )
        # The policy pack chooses its table by this name. Two such policies would exceed the size limit of a role.
        RolePolicy(
            f"{name}-permissions",
            name=args.deploys,
            role=role.name,
            policy=json.dumps(deployer_permissions(names, args.deploys)),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        looks = Policy(
            f"{name}-looks",
            name=names.deployer_looks_policy,
            # Not the state any more. But AWS has no call that changes it: another text would replace the policy.
            description="What a pipeline reads back, and the state of its stacks.",
            policy=json.dumps(deployer_looks(names, args.replicas)),
            tags=names.tags,
            opts=child,
        )
        state = Policy(
            f"{name}-state",
            name=names.deployer_state_policy(args.deploys),
            description="The state of the stacks that a pipeline deploys.",
            policy=json.dumps(deployer_state(names, args.deploys, args.state)),
            tags=names.tags,
            opts=child,
        )
        if args.connect:
            connect = Policy(
                f"{name}-connect",
                name=names.deployer_connect_policy,
                description="What a pipeline reads back of connect.",
                policy=json.dumps(deployer_connect(names)),
                tags=names.tags,
                opts=child,
            )
            RolePolicyAttachment(f"{name}-connect-attachment", role=role.name, policy_arn=connect.arn, opts=child)
        RolePolicyAttachment(f"{name}-attachment", role=role.name, policy_arn=looks.arn, opts=child)
        RolePolicyAttachment(f"{name}-state-attachment", role=role.name, policy_arn=state.arn, opts=child)
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})
