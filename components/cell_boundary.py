"""The permissions boundary of a cell's roles: the bootstrap makes it, or else the platform's stack."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
from pulumi_aws.iam import Policy

from components.iam.boundary import permissions_boundary
from components.iam.copies import Replica
from myflux_keys.aws_names import CellNames


def cell_boundary(name: str, names: CellNames, replicas: Sequence[Replica], opts: pulumi.ResourceOptions) -> Policy:
    """`name` is the Pulumi name of the component that makes it."""
    return Policy(
        f"{name}-boundary",
        name=names.boundary_policy,
        description=f"The most that a role of cell {names.cell} can ever do.",
        policy=json.dumps(permissions_boundary(names, replicas)),
        tags=names.tags,
        opts=opts,
    )
