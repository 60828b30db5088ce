"""Objects in an S3 bucket whose text the program gives. The id is the object's key.

As the official plugin does, an object is read back after it was written (HeadObject, and its tags, of which the
stand-in carries none). It is deleted without its versions: buckets in which the product has objects keep none.
https://github.com/hashicorp/terraform-provider-aws/blob/v6.0.0/internal/service/s3/object.go
"""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import Change, Created, Property, Resource, Scalar, State
from local.provider.services.s3_bucket import NO_BUCKET, unless

_GONE: Final = NO_BUCKET | {"NoSuchKey"}

_CHECKSUMS: Final = ("checksumCrc32", "checksumCrc32c", "checksumCrc64nvme", "checksumSha1", "checksumSha256")


def _put(aws: Aws, inputs: State) -> None:
    aws.client("s3").put_object(
        Bucket=inputs["bucket"],
        Key=inputs["key"],
        Body=inputs["content"].encode(),
        ContentType=inputs.get("contentType") or "application/octet-stream",
    )


def _create(aws: Aws, inputs: State) -> Created:
    _put(aws, inputs)
    return Created(inputs["key"])


def _read(aws: Aws, id: str, prior: State) -> State | None:
    s3, where = aws.client("s3"), {"Bucket": prior["bucket"], "Key": id}
    try:
        head = s3.head_object(**where)
        s3.get_object_tagging(**where)
    except ClientError as error:
        unless(error, _GONE)
        return None
    return {
        "bucket": prior["bucket"],
        "key": id,
        "arn": f"arn:{aws.partition}:s3:::{prior['bucket']}/{id}",
        "contentType": head["ContentType"],
        "etag": head["ETag"].strip('"'),
        "serverSideEncryption": head.get("ServerSideEncryption", ""),
        "storageClass": head.get("StorageClass", "STANDARD"),
        "versionId": head.get("VersionId", ""),
    }


def _update(aws: Aws, change: Change) -> State:
    _put(aws, change.new)
    return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    """S3 answers alike for a key that does not exist."""
    try:
        aws.client("s3").delete_object(Bucket=state["bucket"], Key=id)
    except ClientError as error:
        unless(error, _GONE)


RESOURCES = (
    Resource(
        type="aws:s3/bucketObjectv2:BucketObjectv2",
        inputs={
            "bucket": Property(Scalar.STRING, required=True, replaces=True),
            "key": Property(Scalar.STRING, required=True, replaces=True),
            "content": Property(Scalar.STRING, required=True, read_back=False),
            "contentType": Property(Scalar.STRING, computed=True),
        },
        outputs={
            "arn": Scalar.STRING,
            "etag": Scalar.STRING,
            "serverSideEncryption": Scalar.STRING,
            "storageClass": Scalar.STRING,
            "versionId": Scalar.STRING,
        },
        fixed={"acl": "private", "bucketKeyEnabled": False, "kmsKeyId": ""} | dict.fromkeys(_CHECKSUMS, ""),
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        volatile=lambda _given, changed: frozenset({"etag"}) if changed & {"content", "contentType"} else frozenset(),
    ),
)
