"""What a pipeline's role may do, generated from the resource types that it deploys and the cell's names.

Owns two documents and a part of a third, and what no pipeline may ever do. Leaves out which calls each type needs
(`deployer_calls`), the stacks' state (`deployer_state`), who may assume the role (`deployer_trust`) and the role itself
(`components/deployer.py`).

A pipeline that deploys `tenants` cannot change who reads keys: no role, no key policy, no function's code, no admin
secret. One that deploys `everything` can change code that reads keys, so whoever approves its runs is trusted with
them. It still cannot read a key itself, change the permissions boundary or change its own role.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from components.iam.copies import Replica, copied
from components.iam.deployer_calls import BUILD, TENANT_TYPES, look
from components.iam.grants import Deploys, Grant
from components.iam.resource import VALIDATION
from components.iam.statements import Document, Statement, document
from myflux_keys.aws_names import CellNames

NEVER: Final = (
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "sts:AssumeRole",
)
"""Denied, since the role may change secrets' policies and roles' trust, which could allow them."""


BESIDE: Final = ("cloudwatch", "events", "s3")
"""Services of which the role's other policy has what it may change, since the inline one has no room for it."""
READ_BESIDE: Final = ("events",)
"""Of these it also has what it may read, which has no room with the other reads."""


def deployer_permissions(names: CellNames, deploys: Deploys) -> Document:
    """What the role may change, and what it never may. Fits a role's inline policies, which hold 10,240 characters."""
    grants = [grant for grant in _changes(names, deploys) if grant.service not in BESIDE]
    never: Statement = {"Sid": "NeverAValue", "Effect": "Deny", "Action": list(NEVER), "Resource": "*"}
    return document(*merged(grants), never)


def deployer_beside(names: CellNames, deploys: Deploys) -> list[Statement]:
    """What the role may change of the services in BESIDE, and read of those in READ_BESIDE."""
    changes = [grant for grant in _changes(names, deploys) if grant.service in BESIDE]
    return merged([*changes, *(grant for grant in look(names) if grant.service in READ_BESIDE)])


def _changes(names: CellNames, deploys: Deploys) -> list[Grant]:
    return [
        grant
        for type_, needed in sorted(BUILD.items())
        if deploys == "everything" or type_ in TENANT_TYPES
        for grant in needed(names, deploys)
    ]


def deployer_looks(names: CellNames, replicas: Sequence[Replica] = ()) -> Document:
    """What the role may read, and the KMS keys of copies, which do not fit the other document.

    Fits a managed policy, which holds 6,144 characters.
    """
    looks = [grant for grant in look(names) if grant.service not in READ_BESIDE]
    return document(*merged([*looks, *_copies(names, replicas)]))


def merged(grants: Iterable[Grant]) -> list[Statement]:
    """As few statements as the grants fit in, since each costs characters, and none that allows more than they do."""
    return [_statement(alike) for alike in _across_services(_same_actions(_same_resources(grants)))]


@dataclass(frozen=True)
class _Allowed:
    """Each action on each of the resources."""

    actions: list[str]
    resources: list[str]
    condition: Mapping[str, Any] | None

    @property
    def services(self) -> set[str]:
        """Of its resources: an ARN's third part."""
        return {one.split(":")[2] for one in self.resources if one != "*"}


def _same_resources(grants: Iterable[Grant]) -> list[_Allowed]:
    merged: dict[str, list[Grant]] = {}
    for grant in grants:
        merged.setdefault(json.dumps([grant.resources, grant.condition]), []).append(grant)
    return [
        _Allowed(
            sorted({f"{one.service}:{name}" for one in alike for name in one.actions.split()}),
            list(alike[0].resources),
            alike[0].condition,
        )
        for alike in merged.values()
    ]


def _same_actions(allowed: Iterable[_Allowed]) -> list[_Allowed]:
    merged: dict[str, _Allowed] = {}
    for one in allowed:
        key = json.dumps([one.actions, one.condition])
        before = merged[key].resources if key in merged else []
        merged[key] = replace(one, resources=[*before, *(arn for arn in one.resources if arn not in before)])
    return list(merged.values())


def _across_services(allowed: Iterable[_Allowed]) -> list[_Allowed]:
    """An action applies to resources of its own service alone. So statements of different services fit into one, and
    those of the same service stay apart."""
    merged: list[_Allowed] = []
    for one in allowed:
        place = next((at for at, other in enumerate(merged) if _fit(one, other)), None)
        if place is None:
            merged.append(one)
            continue
        other = merged[place]
        merged[place] = _Allowed([*other.actions, *one.actions], [*other.resources, *one.resources], None)
    return merged


def _fit(one: _Allowed, other: _Allowed) -> bool:
    unlimited = "*" in one.resources or "*" in other.resources
    return not (one.condition or other.condition or unlimited or one.services & other.services)


def _statement(allowed: _Allowed) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": allowed.actions, "Resource": allowed.resources}
    return statement | ({"Condition": dict(allowed.condition)} if allowed.condition else {})


def _copies(names: CellNames, replicas: Sequence[Replica]) -> list[Grant]:
    """Secrets Manager validates a copy's key like the secret's own. Copying a value needs more permissions, which a
    pipeline does not have: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
    """
    if not replicas:
        return []
    tried = copied(names, replicas, lambda where: where.tenant_secrets_arn_pattern)
    tried["StringEquals"]["kms:EncryptionContext:SecretVersionId"] = VALIDATION
    return [Grant("kms", "Decrypt Encrypt GenerateDataKey", [one.kms_key_arn for one in replicas], tried)]
