"""AWS's limits on the length of policies, checked before `up`: AWS would refuse a policy with half of the stack
made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from components.iam import federation, handover, identity, resource
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
"""The longest slug: a cell that is accepted has room for every tenant."""


def measured(cell: Cell) -> Iterator[tuple[str, Limit, Document]]:
    """The cell's field that makes a document long, AWS's limit, and the longest document of its kind."""
    names, governors, deployers = cell.names, cell.governors, cell.deployers
    tenant = names.tenant(LONGEST_TENANT)
    callers = federation.runtime_callers(names, cell.runtime_principals, federation=cell.federation.enabled)
    yield "runtime_principals", TRUST, identity.runtime_trust(callers, identity.any_tenant())
    yield "runtime_principals", TRUST, identity.runtime_trust(cell.runtime_principals, identity.only_tenant(tenant))
    if cell.handover:
        yield "handover", TRUST, handover.handover_trust(cell.handover.principals)
    # The policy of a customer's own secret is the longest: the deployers may store a key in it too.
    own = resource.tenant_secret(
        tenant,
        reader_role=tenant.dedicated_role_arn,
        writers=deployers,
        deployers=governors,
        enabled=False,
        handed_over=cell.handover is not None,
    )
    yield "deployer_principals", SECRET, own
    admin = resource.admin_secret(names, deployers=deployers, governors=governors)
    yield "deployer_principals", SECRET, admin
    yield (
        "deployer_principals",
        KEY,
        resource.cell_key(names, deployers=deployers, governors=governors, handover=cell.handover is not None),
    )


def refusals(cell: Cell) -> Iterator[Refusal]:
    """One for each field that makes a document too long: for the document that exceeds its limit most."""
    worst: dict[str, tuple[float, Refusal]] = {}
    for field, limit, document in measured(cell):
        size = len(json.dumps(document))
        over = size / limit.most
        if over > max(1.0, worst[field][0] if field in worst else 0.0):
            reason = f"With this list {limit.what} has {size} characters; AWS allows {limit.most} ({limit.source})."
            way_out = "list fewer, for example one role that the others may assume."
            worst[field] = (over, Refusal("principals-too-many", reason, way_out, (field,)))
    yield from (refusal for _, refusal in worst.values())
