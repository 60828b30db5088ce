"""Replicas of tenants' secrets in other Regions: what each role may do with them, as pure functions that return dicts.

Owns the statements that name a replica ("copy") or its KMS key, and the policy that such a key needs. Leaves out
creating either: Secrets Manager creates a copy, and an operator the key, which the cell's file names.

A copy has its secret's name, tags and policy, and an ARN in which only the Region differs:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
AWS does not document which of the two ARNs is in a copy's encryption context, which Region's Secrets Manager uses the
key, and whether copying a new version uses the permissions of its writer. So both ARNs and both Regions are allowed,
and the writers may encrypt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.iam.resource import VALIDATION
from components.iam.statements import Document, Statement, document, key_administration, via_secrets_manager
from myflux_keys.aws_names import CellNames
from myflux_keys.names import TAG_CELL, TAG_TENANT

Pattern = Callable[[CellNames], str]
"""An ARN pattern of secrets, by the Region of the names."""


@dataclass(frozen=True)
class Replica:
    """A Region that holds copies of tenants' secrets."""

    region: str
    kms_key_arn: str
    """A customer managed key of that Region."""


def runtime_reads_copies(names: CellNames, replicas: Sequence[Replica]) -> list[Statement]:
    """The runtime reads copies of its own tenant's secret, as in the cell's Region."""

    def own(where: CellNames) -> str:
        return where.tenant("${aws:PrincipalTag/" + TAG_TENANT + "}").secret_arn_pattern

    read = {
        "Sid": "ReadOwnTenantsCopies",
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
        "Resource": _abroad(names, replicas, own),
        "Condition": {
            "StringEquals": {
                f"secretsmanager:ResourceTag/{TAG_TENANT}": "${aws:PrincipalTag/" + TAG_TENANT + "}",
                f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell,
            }
        },
    }
    return [read, use_keys("DecryptCopies", ["kms:Decrypt"], names, replicas, own)] if replicas else []


def rotation_writes_copies(names: CellNames, replicas: Sequence[Replica]) -> list[Statement]:
    """The rotation writes only in the cell's Region; Secrets Manager copies the version. It reads no copy."""
    encrypt = ["kms:Encrypt", "kms:GenerateDataKey"]
    return [use_keys("EncryptCopies", encrypt, names, replicas, _tenants)] if replicas else []


def bounded_copies(names: CellNames, replicas: Sequence[Replica]) -> list[Statement]:
    """The most that any role of the cell may do with copies."""
    read = {
        "Sid": "CopiesOfThisCellsSecrets",
        "Effect": "Allow",
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": _abroad(names, replicas, _tenants),
    }
    use = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    return [read, use_keys("KeysOfCopies", use, names, replicas, _tenants)] if replicas else []


def use_keys(
    sid: str, actions: Sequence[str], names: CellNames, replicas: Sequence[Replica], secrets: Pattern
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": [replica.kms_key_arn for replica in replicas],
        "Condition": copied(names, replicas, secrets),
    }


def copied(names: CellNames, replicas: Sequence[Replica], secrets: Pattern) -> dict[str, dict[str, Any]]:
    """Conditions on the use of a copy's key: through Secrets Manager, for `secrets` and their copies."""
    conditions = via_secrets_manager(names, [secrets(names), *_abroad(names, replicas, secrets)])
    services = [f"secretsmanager.{region}.amazonaws.com" for region in (names.region, *_regions(replicas))]
    conditions["StringEquals"]["kms:ViaService"] = services
    return conditions


def copys_key(names: CellNames, replica: Replica, *, writers: Sequence[str], makers: Sequence[str]) -> Document:
    """The policy that a copy's key needs; whoever creates the key sets it.

    The runtime decrypts; `writers` of tenants' secrets and `makers`, who set the Regions, encrypt. For `makers`,
    Secrets Manager also validates the key, which decrypts nothing.
    """
    account = {"AWS": f"arn:{names.partition}:iam::{names.account_id}:root"}

    def used(sid: str, actions: list[str], principals: Sequence[str]) -> Statement:
        statement = use_keys(sid, actions, names, [replica], _tenants)
        statement["Condition"]["StringEquals"]["aws:PrincipalArn"] = list(principals)
        return statement | {"Principal": account, "Resource": "*"}

    tried = used("ValidatedByDeployers", ["kms:Decrypt", "kms:GenerateDataKey"], makers)
    tried["Condition"]["StringEquals"]["kms:EncryptionContext:SecretVersionId"] = VALIDATION
    return document(
        key_administration(account),
        used("RuntimeReadsCopies", ["kms:Decrypt"], [names.runtime_role_arn]),
        used("CopiesEncrypted", ["kms:Encrypt", "kms:GenerateDataKey"], list(dict.fromkeys([*writers, *makers]))),
        tried,
    )


def _tenants(where: CellNames) -> str:
    return where.tenant_secrets_arn_pattern


def _regions(replicas: Sequence[Replica]) -> list[str]:
    return [replica.region for replica in replicas]


def _abroad(names: CellNames, replicas: Sequence[Replica], secrets: Pattern) -> list[str]:
    return [secrets(replace(names, region=region)) for region in _regions(replicas)]
