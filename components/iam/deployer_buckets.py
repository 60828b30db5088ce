"""What a pipeline's role may do with the health bucket: tenants' declarations, and the bucket itself.

Owns the rows of the resource types of S3 and what refresh reads of them. Leaves out the stacks' state
(`deployer_state`). A pipeline never writes what the health function remembers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from components.iam.grants import Deploys, Grant, Grants
from myflux_keys.aws_names import CellNames
from myflux_keys.declaration import CATALOGUE, DECLARATIONS

READ_BUCKET: Final = (
    "GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration "
    "GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning "
    "GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration ListBucket"
)
"""The AWS provider reads each setting of a bucket."""


def _bucket(names: CellNames, _: Deploys) -> list[Grant]:
    """The bucket goes with its objects: their versions are listed and deleted, also in a bucket that keeps one of each.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
    """
    bucket = names.health_bucket_arn
    return [
        Grant("s3", "CreateBucket DeleteBucket ListBucketVersions PutBucketTagging TagResource", [bucket]),
        Grant("s3", "DeleteObject DeleteObjectVersion", [f"{bucket}/*"]),
    ]


def _object(names: CellNames, deploys: Deploys) -> list[Grant]:
    """The provider reads back what it wrote, and the platform's catalogue where a pipeline of tenants looks for drift.
    S3 answers 403 for an object that is gone, if the caller may not list the bucket."""
    bucket = names.health_bucket_arn
    declarations, catalogue = f"{bucket}/{DECLARATIONS}*", f"{bucket}/{CATALOGUE}"
    read = [] if deploys == "everything" else [Grant("s3", "GetObject GetObjectTagging", [catalogue])]
    written = [declarations, catalogue] if deploys == "everything" else [declarations]
    return [
        Grant("s3", "DeleteObject GetObject GetObjectTagging PutObject", written),
        *read,
        Grant("s3", "ListBucket", [bucket]),
    ]


def _setting(actions: str) -> Grants:
    return lambda names, _: [Grant("s3", actions, [names.health_bucket_arn])]


BUCKETS: Final[Mapping[str, Grants]] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:s3/bucketPolicy:BucketPolicy": _setting("DeleteBucketPolicy PutBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting("PutBucketPublicAccessBlock"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "PutEncryptionConfiguration"
    ),
}
"""By resource type, as the engine names them."""


def look_at_buckets(names: CellNames) -> list[Grant]:
    return [Grant("s3", READ_BUCKET, [names.health_bucket_arn])]
