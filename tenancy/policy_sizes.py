"""Policies that would be longer than AWS takes: those that list whom a cell's file names.

Owns the limits of documents. Leaves out those of names (`aws_limits`), and the documents, which `components` makes.
They are measured as they are sent. AWS would refuse one in the middle of `up`, with half of the stack made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from components.iam import identity, resource
from components.iam.statements import Document
from tenancy.aws_limits import Limit
from tenancy.cell import Cell
from tenancy.problems import Refusal

_REFERENCE: Final = "https://docs.aws.amazon.com"
TRUST: Final = Limit("a role's trust policy", 2_048, f"{_REFERENCE}/IAM/latest/UserGuide/reference_iam-quotas.html")
SECRET: Final = Limit(
    "a secret's policy",
    20_480,
    f"{_REFERENCE}/secretsmanager/latest/userguide/reference_limits.html",
)
KEY: Final = Limit("a KMS key's policy", 32_768, f"{_REFERENCE}/kms/latest/developerguide/resource-limits.html")

LONGEST_TENANT: Final = "t" * 32
"""So that a cell which is accepted has room for every tenant that may come."""


def measured(cell: Cell) -> Iterator[tuple[str, Limit, Document]]:
    """The field that makes a document long, AWS's limit, and the longest document of its kind."""
    names, governors, deployers = cell.names, cell.governors, cell.deployer_principals
    tenant = names.tenant(LONGEST_TENANT)
    for whom in (identity.any_tenant(), identity.only_tenant(tenant)):
        yield "runtime_principals", TRUST, identity.runtime_trust(cell.runtime_principals, whom)
    # A customer's own secret is the longest: the deployers fill it too.
    own = resource.tenant_secret(
        tenant, reader_role=tenant.dedicated_role_arn, writers=deployers, deployers=governors, enabled=False
    )
    yield "deployer_principals", SECRET, own
    admin = resource.admin_secret(names, deployers=deployers, governors=governors)
    yield "deployer_principals", SECRET, admin
    yield "deployer_principals", KEY, resource.cell_key(names, deployers=deployers, governors=governors)


def refusals(cell: Cell) -> Iterator[Refusal]:
    """One for each field that makes a document too long, by the document that is the most over."""
    worst: dict[str, tuple[float, Refusal]] = {}
    for field, limit, document in measured(cell):
        size = len(json.dumps(document))
        over = size / limit.most
        if over > max(1.0, worst[field][0] if field in worst else 0.0):
            reason = f"They make {limit.what} of {size} characters, and AWS takes {limit.most} ({limit.source})."
            way_out = "name fewer: one role that the others may assume stands for all of them."
            worst[field] = (over, Refusal("principals-too-many", reason, way_out, (field,)))
    yield from (refusal for _, refusal in worst.values())
