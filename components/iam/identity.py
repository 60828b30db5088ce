"""Identity policies and trust policies, as pure functions that return dicts.

Owns who may assume which role and what the runtime may read; re-exports the functions' permissions (`functions`).
Leaves out the permissions boundary (`boundary`), policies of secrets, KMS keys and topics (`resource`), and Pulumi
resources. Every ARN is derived from names, so a document can be checked before anything is created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.iam.copies import Replica, runtime_reads_copies
from components.iam.federation import runtime_without_key
from components.iam.functions import function_permissions as function_permissions
from components.iam.statements import Document as Document
from components.iam.statements import decrypt_statement, document
from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.names import TAG_CELL, TAG_TENANT


def function_trust() -> Document:
    return document(
        {
            "Sid": "AssumedByLambda",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )


def runtime_trust(principals: Sequence[str], tenant_condition: Mapping[str, Mapping[str, str]]) -> Document:
    """Who may assume the runtime role, and only for one tenant: the session has the tag `tenant` and no other."""
    return document(
        {
            "Sid": "OnlyAsOneTenant",
            "Effect": "Allow",
            "Principal": {"AWS": list(principals)},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                **tenant_condition,
                # Null refuses a session without the tag, for which the set operator below is true.
                "Null": {f"aws:RequestTag/{TAG_TENANT}": "false"},
                "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_TENANT]},
            },
        }
    )


def any_tenant() -> dict[str, dict[str, str]]:
    """Any tenant's slug, which starts with a letter: not `_platform`, and not empty."""
    return {
        "StringLike": {f"aws:RequestTag/{TAG_TENANT}": "?*"},
        "StringNotLike": {f"aws:RequestTag/{TAG_TENANT}": "_*"},
    }


def only_tenant(names: TenantNames) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{TAG_TENANT}": names.tenant}}


def runtime_read(names: CellNames, replicas: Sequence[Replica] = (), *, federation: bool = False) -> Document:
    """ABAC: a session reads the secret of the tenant that it is tagged with, and its copies. Name and tag must both
    agree. `federation`: it may also have a token for that tenant."""
    own_secret = names.tenant("${aws:PrincipalTag/" + TAG_TENANT + "}").secret_arn_pattern
    return document(
        {
            "Sid": "ReadOwnTenant",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": own_secret,
            "Condition": {
                "StringEquals": {
                    f"secretsmanager:ResourceTag/{TAG_TENANT}": "${aws:PrincipalTag/" + TAG_TENANT + "}",
                    f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell,
                }
            },
        },
        decrypt_statement(names, [own_secret]),
        *runtime_reads_copies(names, replicas),
        *(runtime_without_key(names) if federation else []),
    )


def dedicated_read(names: TenantNames) -> Document:
    """A dedicated tenant's role reads one secret, whatever its session is tagged with."""
    return document(
        {
            "Sid": "ReadOwnTenant",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": names.secret_arn_pattern,
            "Condition": {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_TENANT}": names.tenant}},
        },
        decrypt_statement(names.cell, [names.secret_arn_pattern]),
    )
