"""The intake as the page uses it: S3 for what it may read, KMS for what it may only write.

Owns reading, and writing under conditions. Leaves out what is written (`seen`, `functions/shared/intake.py`). The role
has no right to read what is handed in, nor to decrypt it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.connect.seen import Refused, Seen
from functions.shared.intake import HandedIn, Issued, Outcome, Place

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

_TRIES: Final = 8
"""Of a change that others' changes cross."""
_CONFLICTS: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_GONE: Final = frozenset({"NoSuchKey", "404"})


def new_client() -> S3Client:
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]


class Store:
    """Of one bucket. Methods raise botocore's errors too."""

    def __init__(self, s3: S3Client, kms: KMSClient, bucket: str, key: str) -> None:
        self._s3, self._kms = s3, kms
        self._bucket, self._key = bucket, key

    def issued(self, place: Place) -> Issued | None:
        """None for a link that the command did not issue. Raises IntakeError."""
        found = self._read(place.link)
        return Issued.from_json(found[0]) if found else None

    def revoked(self, place: Place) -> bool:
        return self._read(place.revoked) is not None

    def outcome(self, place: Place) -> Outcome | None:
        """Raises IntakeError."""
        found = self._read(place.outcome)
        return Outcome.from_json(found[0]) if found else None

    def seen(self, place: Place) -> Seen:
        return self._seen(place)[0]

    def change(self, place: Place, change: Callable[[Seen], Seen]) -> Seen:
        """The new record. `change` may be called again with a newer one. Raises Refused: what `change` raises, and
        ``busy`` where others change the record all the time.

        Where S3's answer to a write is lost, the SDK writes again and is refused by its own first write: the mark tells
        that from another's.
        """
        mark = secrets.token_hex(8)
        for _ in range(_TRIES):
            seen, version = self._seen(place)
            if seen.by == mark:
                return seen
            new = change(seen)
            if new == seen:
                return seen
            new = replace(new, by=mark)
            if self._write(place.seen, new.to_json().encode(), version):
                return new
        raise Refused("busy", 2)

    def hand_in(self, place: Place, handed_in: HandedIn) -> bool:
        """Writes the ciphertext. False if there is one already, and then it stays."""
        encrypted = self._kms.encrypt(
            KeyId=self._key, Plaintext=handed_in.to_json().encode(), EncryptionContext=place.context
        )
        return self._write(place.handed_in, encrypted["CiphertextBlob"], None)

    def _seen(self, place: Place) -> tuple[Seen, str | None]:
        found = self._read(place.seen)
        return (Seen.from_json(found[0]), found[1]) if found else (Seen(), None)

    def _read(self, key: str) -> tuple[str, str] | None:
        """Text and version; None if there is no such object."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _GONE:
                return None
            raise
        with answer["Body"] as body:
            return body.read().decode(), answer["ETag"]

    def _write(self, key: str, body: bytes, version: str | None) -> bool:
        """False if the object is not of `version` any more; None: there must be none."""
        try:
            if version is None:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
            else:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=version)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _CONFLICTS:
                return False
            raise
        return True
