"""Reads the records of hand-overs from the cell's health bucket."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from functions.shared import log
from functions.shared.handover import Handover, HandoverError, object_name
from functions.shared.objects import Objects

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class HandoverStore:
    """Methods raise botocore's errors too."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._objects = Objects(client, bucket)

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
        found = self._objects.read(name)
        return None if found is None else Handover.read(found.body.decode(errors="replace"), name)
