"""Further actions that S3 asks for by the headers and the body of a request that creates a bucket or an object.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and API_PutObject.html, under "Permissions"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from local.aws.iam.request import ServiceRequest

_BY_HEADER: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "s3:CreateBucket": {
        "x-amz-bucket-object-lock-enabled": ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"),
        "x-amz-object-ownership": ("s3:PutBucketOwnershipControls",),
    },
    "s3:PutObject": {
        "x-amz-tagging": ("s3:PutObjectTagging",),
    },
}
_ACL: Final = {"s3:CreateBucket": "s3:PutBucketAcl", "s3:PutObject": "s3:PutObjectAcl"}
_TAG: Final = re.compile(rb"<Tag>\s*<Key>(.*?)</Key>\s*<Value>(.*?)</Value>\s*</Tag>", re.DOTALL)


def actions(request: ServiceRequest, action: str) -> Iterator[str]:
    for header, needed in _BY_HEADER.get(action, {}).items():
        if request.headers.get(header, "false").lower() not in ("false", ""):
            yield from needed
    granted = any(name.startswith("x-amz-grant-") for name in request.headers)
    if action in _ACL and (granted or request.headers.get("x-amz-acl", "private") != "private"):
        yield _ACL[action]


def bucket_tags(request: ServiceRequest) -> dict[str, str]:
    """Of a CreateBucket request's body."""
    return {key.decode(): value.decode() for key, value in _TAG.findall(request.body)}
