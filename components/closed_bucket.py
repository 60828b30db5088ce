"""An S3 bucket that the public cannot open: public access blocked, objects encrypted, and a policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.s3 import (
    Bucket,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
)


@dataclass
class ClosedBucketArgs:
    """`policy` is the bucket's policy document."""

    bucket: str
    policy: dict[str, Any]
    tags: dict[str, str]
    protect: bool = False
    force_destroy: bool = False
    """Deleting the bucket deletes its objects too; S3 refuses a bucket that holds any."""


@dataclass
class ClosedBucket:
    """`settled` are outputs that are known once the bucket is closed."""

    bucket: Bucket
    policy: BucketPolicy
    settled: list[pulumi.Output[str]]


def closed_bucket(name: str, args: ClosedBucketArgs, parent: pulumi.Resource) -> ClosedBucket:
    """Objects are encrypted by S3's own keys: with a KMS key, each pipeline would need more rights on it."""
    child = pulumi.ResourceOptions(parent=parent)
    bucket = Bucket(
        f"{name}-bucket",
        bucket=args.bucket,
        force_destroy=True if args.force_destroy else None,
        tags=args.tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=args.protect),
    )
    blocked = BucketPublicAccessBlock(
        f"{name}-public-access",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    encryption = BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=child,
    )
    policy = BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=json.dumps(args.policy),
        # S3 refuses two settings of one bucket at the same time.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[blocked]),
    )
    return ClosedBucket(bucket, policy, [blocked.id, encryption.id, policy.id])
