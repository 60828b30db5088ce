"""What a pipeline's role may do, generated from the resource types that it deploys and the cell's names.

Owns putting the document together, and what no pipeline may ever do. Leaves out which call each type needs
(`deployer_grants`), who becomes the role (`deployer_trust`) and making it (`deployer`).

A pipeline that deploys `tenants` touches nothing that decides who reads: no role, no key's policy, no function's code,
no admin secret. One that deploys `everything` changes code that reads keys, so whoever approves its runs is trusted
with them; what it cannot do is read one itself, loosen the boundary, or change its own role: no row of the table
names those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from components.iam.copies import Replica, copied
from components.iam.deployer_grants import BUILD, TENANT_TYPES, Deploys, Grant, look
from components.iam.resource import VALIDATION
from components.iam.statements import Document, Statement, document
from myflux_keys.cell_names import CellNames

NEVER: Final = (
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "sts:AssumeRole",
)
"""Not even where a secret's policy or a role's trust, which it may write, would let it."""


@dataclass(frozen=True)
class State:
    """Where the stacks' state is: a bucket, and the key of Pulumi's secrets provider where one is used."""

    bucket: str
    key_arn: str | None = None


def deployer_permissions(names: CellNames, deploys: Deploys) -> Document:
    """What it changes, and what it never may. Fits into a role's inline policies, which hold 10,240 characters."""
    grants = [
        grant
        for type_, needed in sorted(BUILD.items())
        if deploys == "everything" or type_ in TENANT_TYPES
        for grant in needed(names, deploys)
    ]
    never: Statement = {"Sid": "NeverAValue", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"}
    return document(*_statements(grants), never)


def deployer_looks(names: CellNames, state: State, replicas: Sequence[Replica] = ()) -> Document:
    """What it reads back, the stacks' state, and the keys of copies, for which the other document has no room.

    Fits into a managed policy, which holds 6,144 characters.
    """
    return document(*_statements([*look(names), *_state(names, state), *_copies(names, replicas)]))


def _statements(grants: Iterable[Grant]) -> list[Statement]:
    """One for all grants on the same names under the same condition."""
    merged: dict[str, list[Grant]] = {}
    for grant in grants:
        merged.setdefault(json.dumps([grant.resources, grant.condition]), []).append(grant)
    return [_statement(alike) for alike in merged.values()]


def _statement(alike: list[Grant]) -> Statement:
    actions = sorted({f"{grant.service}:{name}" for grant in alike for name in grant.actions.split()})
    resources, condition = list(alike[0].resources), alike[0].condition
    statement: Statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": dict(condition)} if condition else {})


def _copies(names: CellNames, replicas: Sequence[Replica]) -> list[Grant]:
    """Secrets Manager tries a copy's key like the secret's own. To copy a value AWS asks its caller for more, which a
    pipeline does not have: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
    """
    if not replicas:
        return []
    tried = copied(names, replicas, lambda where: where.tenant_secrets_arn_pattern)
    tried["StringEquals"]["kms:EncryptionContext:SecretVersionId"] = VALIDATION
    return [Grant("kms", "Decrypt Encrypt GenerateDataKey", [one.kms_key_arn for one in replicas], tried)]


def _state(names: CellNames, state: State) -> list[Grant]:
    bucket = f"arn:{names.partition}:s3:::{state.bucket}"
    return [
        Grant("s3", "ListBucket", [bucket]),
        Grant("s3", "DeleteObject GetObject PutObject", [f"{bucket}/*"]),
        *([Grant("kms", "Decrypt Encrypt", [state.key_arn])] if state.key_arn else []),
    ]
