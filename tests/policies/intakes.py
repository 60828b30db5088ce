"""The bucket of what customers hand in, as resources beside a stack that has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.iam.connect import connect_bucket
from myflux_keys.aws_names import CellNames
from policies.guardrails.model import Resource
from tests.policies.rehearsed import changed, document, edited, resource, without

Stack = tuple[Resource, ...]
NAMES = CellNames("local", "000000000000", "us-east-1")
_BUCKET = {"bucket": NAMES.connect_bucket}
_PUBLIC = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_DOCUMENT = connect_bucket(NAMES, deployers=["arn:aws:iam::000000000000:user/deployer"])
INTAKE: Stack = (
    resource("aws:s3/bucket:Bucket", "intake-bucket", **_BUCKET),
    resource(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "intake-public-access",
        **_BUCKET,
        **dict.fromkeys(_PUBLIC, True),
    ),
    resource(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "intake-encryption",
        **_BUCKET,
    ),
    resource("aws:s3/bucketPolicy:BucketPolicy", "intake-policy", **_BUCKET, policy=document(*_DOCUMENT["Statement"])),
)


def beside(made: Stack) -> Callable[[Stack], Stack]:
    return lambda stack: (*stack, *made)


def without_policy() -> Callable[[Stack], Stack]:
    return beside(without(INTAKE, "intake-policy"))


def unencrypted() -> Callable[[Stack], Stack]:
    return beside(without(INTAKE, "intake-encryption"))


def with_policy(policy: Any) -> Callable[[Stack], Stack]:
    return beside(changed(INTAKE, "intake-policy", policy=policy))


def in_public() -> Callable[[Stack], Stack]:
    return beside(changed(INTAKE, "intake-public-access", blockPublicPolicy=False))


def open_to(sid: str, *arns: str) -> Callable[[Stack], Stack]:
    """The statement of that Sid exempts others too."""

    def edit(policy: Any) -> None:
        found = next(one for one in policy["Statement"] if one["Sid"] == sid)
        found["Condition"]["StringNotEquals"]["aws:PrincipalArn"] += arns

    return beside(edited(INTAKE, "intake-policy", "policy", edit))
