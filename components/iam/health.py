"""Who reads and writes tenants' declarations and the health function's memory, as pure functions that return dicts.

Owns the bucket's policy and the function's statements on bucket and topic. Leaves out what a pipeline may do there
(`deployer_buckets`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from components.iam.state_store import closed
from components.iam.statements import Document, Statement, allow, document
from functions.shared.handover import HANDOVERS
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS
from myflux_keys.declaration import CATALOGUE, DECLARATIONS
from myflux_keys.identity import IDENTITIES

_STATE: Final = "health/*"
"""What the function remembers."""


def health_bucket(
    names: CellNames, *, deployers: Sequence[str], tls: bool = True, federation: bool = False
) -> Document:
    """Objects are for the functions that watch or read hand-overs, and for `deployers` (ARNs), who write declarations
    and read back what they wrote. `tls` False is for a local cell, as of the state's bucket. `federation`: the runtime
    reads tenants' identities there."""
    bucket = names.health_bucket_arn
    watchers = [names.function_role_arn(one) for one in FUNCTIONS if one.watches]
    readers = [names.function_role_arn(one) for one in FUNCTIONS if one.reads_handovers]
    runtime = [names.runtime_role_arn] if federation else []
    return document(
        *closed(names, bucket, tls=tls),
        {
            "Sid": "OnlyWatchersAndDeployers",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            "Resource": f"{bucket}/*",
            "Condition": {"StringNotEquals": {"aws:PrincipalArn": [*watchers, *readers, *runtime, *deployers]}},
        },
        {
            "Sid": "OthersReadHandoversOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "NotResource": f"{bucket}/{HANDOVERS}*",
            "Condition": {"StringEquals": {"aws:PrincipalArn": readers}},
        },
        *(_identities_only(names, one) for one in runtime),
        {
            "Sid": "AndWriteNothing",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:PutObject"],
            "Resource": f"{bucket}/*",
            "Condition": {"StringEquals": {"aws:PrincipalArn": [*readers, *runtime]}},
        },
    )


def _identities_only(names: CellNames, runtime_role: str) -> Statement:
    return {
        "Sid": "RuntimeReadsIdentitiesOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "NotResource": f"{names.health_bucket_arn}/{IDENTITIES}*",
        "Condition": {"StringEquals": {"aws:PrincipalArn": runtime_role}},
    }


def watching(names: CellNames) -> list[Statement]:
    """What a function that watches does in the bucket, and the messages that it sends.

    Names of all objects may be listed: with a condition on the prefix, S3 answers a request for an object that does not
    exist with 403 instead of 404.
    """
    bucket = names.health_bucket_arn
    return [
        allow("NamesOfDeclarations", "s3:ListBucket", [bucket]),
        allow(
            "ReadDeclarations",
            "s3:GetObject",
            [f"{bucket}/{DECLARATIONS}*", f"{bucket}/{HANDOVERS}*", f"{bucket}/{CATALOGUE}"],
        ),
        allow("RememberFindings", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/{_STATE}"]),
        allow("SendMessages", "sns:Publish", [names.alarm_topic_arn]),
    ]


def reading_handovers(names: CellNames) -> list[Statement]:
    """For a function that does not watch. Names are listed for the same reason as above."""
    bucket = names.health_bucket_arn
    return [
        allow("NamesOfRecords", "s3:ListBucket", [bucket]),
        allow("ReadHandovers", "s3:GetObject", [f"{bucket}/{HANDOVERS}*"]),
    ]
