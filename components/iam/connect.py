"""Who may do what in connect, as pure functions that return dicts.

Owns the policies of the intake's bucket and of the two KMS keys, and what page and promoter may do. Leaves out the
tenants' secrets (`resource`). Why like this: docs/adr/0041-connect.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.iam.state_store import closed
from components.iam.statements import (
    Document,
    Statement,
    allow,
    any_key,
    document,
    key_administration,
    via_secrets_manager,
)
from functions.shared.intake import CONFIRMED, HANDED_IN, LINKS, OUTCOMES, REVOKED, SEEN
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import CONNECT, PROMOTER
from myflux_keys.names import TAG_CELL

_READ_BY_ALL = (LINKS, REVOKED, OUTCOMES)
"""By page, promoter and deployers; each is written by one of them alone."""
_READ = ["s3:GetObject", "s3:GetObjectVersion"]
_WRITE = ["s3:PutObject"]
_DELETE = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
"""Who names the version ``null`` of an object, which one has in a bucket without versions, needs the second right
instead of the first: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""


def connect_bucket(names: CellNames, *, deployers: Sequence[str], tls: bool = True) -> Document:
    """Each object is for its writer and its readers. Who deletes what was revoked brings a dead link back to life, so
    deleting is for deployers, who remove the bucket, and for the promoter, whose own policy names what it ends.

    `deployers` are ARNs of people, never of a pipeline. `tls` False is for a local cell, as of the state's bucket.
    """
    page, promoter = names.function_role_arn(CONNECT), names.function_role_arn(PROMOTER)
    return document(
        *closed(names, names.connect_bucket_arn, tls=tls),
        _only(names, "OnlyTheseReadLinks", _READ, _READ_BY_ALL, [page, promoter, *deployers]),
        _only(names, "OnlyTheseReadWhatWasSeen", _READ, [SEEN], [page, *deployers]),
        _only(names, "OnlyThesePersonsWords", _READ, [CONFIRMED], [promoter, *deployers]),
        _only(names, "OnlyThePromoterTakes", _READ, [HANDED_IN], [promoter]),
        _only(names, "OnlyThePromoterTells", _WRITE, [OUTCOMES], [promoter]),
        _only(names, "OnlyThePageHandsIn", _WRITE, [HANDED_IN, SEEN], [page]),
        _only(names, "OnlyDeployersIssue", _WRITE, [LINKS, REVOKED, CONFIRMED], deployers),
        _only(names, "OnlyTheseDelete", _DELETE, [""], [promoter, *deployers]),
    )


def intake_key(names: CellNames) -> Document:
    """The page encrypts, the promoter decrypts, and neither does the other's. Principals are conditions: KMS refuses a
    policy with a role that does not exist yet."""
    return document(
        key_administration(_account(names)),
        _use(names, "ThePageEncrypts", "kms:Encrypt", [names.function_role_arn(CONNECT)]),
        _use(names, "ThePromoterDecrypts", "kms:Decrypt", [names.function_role_arn(PROMOTER)]),
    )


def link_key(names: CellNames, *, deployers: Sequence[str]) -> Document:
    """People sign links, the functions only verify them. `deployers` are ARNs of people, never of a pipeline."""
    functions = [names.function_role_arn(one) for one in (CONNECT, PROMOTER)]
    return document(
        key_administration(_account(names)),
        _use(names, "PeopleSign", "kms:GenerateMac", deployers),
        _use(names, "FunctionsVerify", "kms:VerifyMac", functions),
    )


def taking_in(names: CellNames) -> list[Statement]:
    """What the page does: it reads what it shows, and hands in what it cannot read. All names may be listed, since S3
    answers a request for an object that does not exist with 403 otherwise."""
    return [
        _objects(names, "ReadLinks", "s3:GetObject", (*_READ_BY_ALL, SEEN)),
        _objects(names, "HandIn", "s3:PutObject", (HANDED_IN, SEEN)),
        allow("NamesOfObjects", "s3:ListBucket", [names.connect_bucket_arn]),
        _by_alias(names, "Encrypt", "kms:Encrypt", names.intake_kms_alias),
        _by_alias(names, "VerifyLinks", "kms:VerifyMac", names.link_kms_alias),
    ]


def promoting(names: CellNames) -> list[Statement]:
    """What the promoter does: it takes what was handed in, and writes tenants' secrets without reading them.

    kms:Decrypt through Secrets Manager is for PutSecretValue with a version that exists, where AWS compares the values.
    """
    secrets = names.tenant_secrets_arn_pattern
    ours = {"StringEquals": {f"secretsmanager:ResourceTag/{TAG_CELL}": names.cell}}
    return [
        _objects(names, "ReadIntake", "s3:GetObject", (*_READ_BY_ALL, CONFIRMED, HANDED_IN)),
        _objects(names, "TellOutcomes", "s3:PutObject", (OUTCOMES,)),
        _objects(names, "EndCopies", "s3:DeleteObject", (HANDED_IN,)),
        allow("NamesOfObjects", "s3:ListBucket", [names.connect_bucket_arn]),
        _by_alias(names, "Decrypt", "kms:Decrypt", names.intake_kms_alias),
        _by_alias(names, "VerifyLinks", "kms:VerifyMac", names.link_kms_alias),
        # A secret that does not exist has no random suffix, and no tags.
        allow(
            "LookForTenants",
            ["secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"],
            [secrets, secrets.removesuffix("-??????")],
        ),
        allow(
            "WriteTenants",
            ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
            [secrets],
            ours,
        ),
        allow(
            "EncryptTenants",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [any_key(names)],
            via_secrets_manager(names, [secrets]),
        ),
    ]


def bounded_connect(names: CellNames) -> list[Statement]:
    """For the permissions boundary: the most that page and promoter together do outside Secrets Manager."""
    bucket = names.connect_bucket_arn
    return [
        allow("Intake", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [f"{bucket}/*"]),
        allow("NamesInIntake", "s3:ListBucket", [bucket]),
        allow(
            "IntakesKeys",
            ["kms:Decrypt", "kms:Encrypt", "kms:VerifyMac"],
            [any_key(names)],
            _aliases(names.intake_kms_alias, names.link_kms_alias),
        ),
    ]


def _only(
    names: CellNames, sid: str, actions: list[str], folders: Sequence[str], principals: Sequence[str]
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": [f"{names.connect_bucket_arn}/{folder}*" for folder in folders],
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": list(principals)}},
    }


def _objects(names: CellNames, sid: str, action: str, folders: Sequence[str]) -> Statement:
    return allow(sid, action, [f"{names.connect_bucket_arn}/{folder}*" for folder in folders])


def _by_alias(names: CellNames, sid: str, action: str, alias: str) -> Statement:
    return allow(sid, action, [any_key(names)], _aliases(alias))


def _aliases(*aliases: str) -> dict[str, Any]:
    """The key is named by its alias, since AWS chooses its id:
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html"""
    return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": list(aliases)}}


def _account(names: CellNames) -> dict[str, str]:
    return {"AWS": f"arn:{names.partition}:iam::{names.account_id}:root"}


def _use(names: CellNames, sid: str, action: str, principals: Sequence[str]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": _account(names),
        "Action": action,
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalArn": list(principals)}},
    }
