"""The policies that bound a cell's roles and that its bootstrap made, as its program makes them.

They are of another stack, so no rehearsal of the cell's stacks registers them, and what is deployed may be older.
"""

from __future__ import annotations

import json

from components.iam.boundary import permissions_boundary
from components.iam.copies import Replica
from components.iam.people import people_limit
from ops.stacks.backend import PROJECT
from tenancy import Cell


def by_bootstrap(cell: Cell) -> dict[str, str]:
    """Documents by ARN; empty for a cell whose platform makes its own boundary."""
    if not cell.bootstrapped:
        return {}
    names = cell.names
    copies = [Replica(one.region, one.kms_key_arn) for one in cell.replicas]
    documents = {
        names.boundary_policy: permissions_boundary(names, copies),
        names.people_role: people_limit(names, PROJECT),
    }
    return {names.policy_arn(name): json.dumps(document) for name, document in documents.items()}
