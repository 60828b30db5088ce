"""Reads the records of hand-overs from the cell's health bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.shared import log
from functions.shared.handover import Handover, HandoverError, object_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def new_client() -> S3Client:
    config = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
    return boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]


class HandoverStore:
    """Methods raise botocore's errors too."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def records(self, tenant: str, consumers: Iterable[str], event: str) -> dict[str, Handover | None]:
        """By consumer; None: nobody ever confirmed one. Nobody may lose a key because a record cannot be read: it
        counts as none, and is logged as `event`."""
        found: dict[str, Handover | None] = {}
        for consumer in consumers:
            try:
                found[consumer] = self._read(tenant, consumer)
            except HandoverError as error:
                log.line(event, level=logging.ERROR, tenant=tenant, consumer=consumer, error=str(error))
                found[consumer] = None
        return found

    def _read(self, tenant: str, consumer: str) -> Handover | None:
        name = object_name(tenant, consumer)
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
        return Handover.read(answer["Body"].read().decode(errors="replace"), name)
