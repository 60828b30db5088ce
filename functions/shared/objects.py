"""Objects of one bucket, read with their version and written or deleted only over the version that was read.

Of two invocations at once one is told that it came too late, and none undoes the other's work. Owns S3's conditions and
its words for them. Leaves out what an object holds.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_GONE: Final = frozenset({"NoSuchKey", "404"})
_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}) | _GONE
"""Where the object is not of the version that a request names."""


def new_client(*, read_seconds: int = 10, attempts: int = 4, connections: int = 10) -> S3Client:
    """`connections` are kept for as many threads."""
    config = Config(
        connect_timeout=3,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
    )
    return boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]


@dataclass(frozen=True)
class Found:
    """`version` is an ETag, `at` when it was written, by S3's clock in Unix seconds."""

    body: bytes
    version: str
    at: float

    @property
    def text(self) -> str:
        """Raises UnicodeDecodeError, a ValueError."""
        return self.body.decode()


class Objects:
    """Methods raise botocore's errors too."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def names(self, prefix: str) -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", []) if "Key" in item)

    def read(self, name: str, most: int | None = None) -> Found | None:
        """None if there is no such object; not more than its first `most` bytes."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        with answer["Body"] as body:
            return Found(body.read(most), answer["ETag"], answer["LastModified"].timestamp())

    def write(self, name: str, body: bytes, version: str | None) -> str | None:
        """The new version; None if the object is not of `version` any more. A `version` of None: there must be none."""
        try:
            if version is None:
                answer = self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*")
            else:
                answer = self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfMatch=version)
        except ClientError as error:
            if _code(error) in _CHANGED:
                return None
            raise
        return answer["ETag"]

    def delete(self, name: str, version: str) -> None:
        """Nothing if the object is not of `version` any more."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=name, IfMatch=version)
        except ClientError as error:
            if _code(error) not in _CHANGED:
                raise


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
