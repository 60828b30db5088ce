"""S3 buckets, without what other resources set on them (`s3_settings`).

The official plugin reads every setting of a bucket back after each change, so that its caller needs the right to read
each; here the same calls are made. The settings themselves are other resources', and would be reported as drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import AutoName, Created, Property, Resource, Scalar, State
from local.provider.rules import matches
from local.provider.services.tags import mapped, pairs

NO_BUCKET: Final = frozenset({"404", "NoSuchBucket"})
_WITHOUT: Final = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchTagSet",
        "NoSuchWebsiteConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
"""The bucket has no such setting."""
_READ_BACK: Final = (
    "get_bucket_policy",
    "get_bucket_acl",
    "get_bucket_cors",
    "get_bucket_website",
    "get_bucket_versioning",
    "get_bucket_accelerate_configuration",
    "get_bucket_request_payment",
    "get_bucket_logging",
    "get_bucket_lifecycle_configuration",
    "get_bucket_replication",
    "get_bucket_encryption",
    "get_object_lock_configuration",
)
"""https://github.com/hashicorp/terraform-provider-aws/blob/v6.0.0/internal/service/s3/bucket.go resourceBucketRead"""


def unless(error: ClientError, codes: frozenset[str]) -> None:
    """Raises `error`, unless its code is one of `codes`."""
    if error.response.get("Error", {}).get("Code") not in codes:
        raise error


def _create(aws: Aws, inputs: State) -> Created:
    where = {} if aws.region == "us-east-1" else {"LocationConstraint": aws.region}
    tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
    request = {"CreateBucketConfiguration": where | tags} if where or tags else {}
    aws.client("s3").create_bucket(Bucket=inputs["bucket"], **request)
    return Created(inputs["bucket"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    s3 = aws.client("s3")
    try:
        region = s3.head_bucket(Bucket=id).get("BucketRegion") or aws.region
    except ClientError as error:
        unless(error, NO_BUCKET)
        return None
    for call in _READ_BACK:
        try:
            getattr(s3, call)(Bucket=id)
        except ClientError as error:
            unless(error, _WITHOUT)
    return {
        "bucket": id,
        "arn": f"arn:aws:s3:::{id}",
        "bucketDomainName": f"{id}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{id}.s3.{region}.amazonaws.com",
        "tags": _tags(s3, id),
    }


def _tags(s3: Any, id: str) -> dict[str, str]:
    try:
        return mapped(s3.get_bucket_tagging(Bucket=id)["TagSet"])
    except ClientError as error:
        unless(error, _WITHOUT)
        return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    """As AWS does, refuses a bucket with objects: `forceDestroy` ends their versions first."""
    s3 = aws.client("s3")
    try:
        if state.get("forceDestroy"):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=id):
                for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    s3.delete_object(Bucket=id, Key=one["Key"], VersionId=one["VersionId"])
        s3.delete_bucket(Bucket=id)
    except ClientError as error:
        unless(error, NO_BUCKET)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    s3 = aws.client("s3")
    held = {key: text for key, text in _tags(s3, id).items() if key not in remove} | dict(add)
    s3.put_bucket_tagging(Bucket=id, Tagging={"TagSet": pairs(held)})


RESOURCES = (
    Resource(
        type="aws:s3/bucket:Bucket",
        inputs={
            "bucket": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name: 3 to 63 of a-z 0-9 . -"),
            ),
            "forceDestroy": Property(Scalar.BOOLEAN, default=False, read_back=False),
        },
        outputs={
            "arn": Scalar.STRING,
            "bucketDomainName": Scalar.STRING,
            "bucketRegion": Scalar.STRING,
            "bucketRegionalDomainName": Scalar.STRING,
        },
        fixed={
            "bucketPrefix": "",
            "bucketNamespace": "global",
            "objectLockEnabled": False,
            "requestPayer": "BucketOwner",
        },
        create=_create,
        read=_read,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(property="bucket", longest=63),
    ),
)
