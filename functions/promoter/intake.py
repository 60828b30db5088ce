"""The intake's bucket, the ciphertext of what was handed in, and the MAC of its link.

Owns the calls to S3 and KMS. Leaves out decisions. An outcome is written, and a copy deleted, only over the version
that was read (S3's If-Match): of two runs at once one fails, and none undoes the other's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.shared.intake import HANDED_IN, Confirmed, HandedIn, IntakeError, Issued, Outcome, Place
from functions.shared.link import Link
from functions.shared.link_mac import verified

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

_CONFIG: Final = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
_CONFLICTS: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_GONE: Final = frozenset({"NoSuchKey", "404"})
_NOT_OURS: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
_LARGEST: Final = 6_144
"""Bytes of a ciphertext. KMS refuses a longer one, and an empty one, by its form (ValidationException):
https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"""


class Overlap(Exception):
    """Another run was faster: what was read is not there any more."""


@dataclass(frozen=True)
class Sealed:
    """`at` is when it was handed in, by S3's clock in Unix seconds; `version` an ETag."""

    ciphertext: bytes
    at: float
    version: str


def new_store() -> S3Client:
    return boto3.client("s3", config=_CONFIG)  # pyright: ignore[reportUnknownMemberType]


def new_keys() -> KMSClient:
    return boto3.client("kms", config=_CONFIG)  # pyright: ignore[reportUnknownMemberType]


class Intake:
    """Methods raise botocore's errors too."""

    def __init__(self, store: S3Client, keys: KMSClient, bucket: str, intake_key: str, link_key: str) -> None:
        self._store = store
        self._keys = keys
        self._bucket = bucket
        self._intake_key = intake_key
        self._link_key = link_key

    def places(self) -> Iterator[Place]:
        """Where something was handed in."""
        for page in self._store.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=HANDED_IN):
            for item in page.get("Contents", []):
                if (place := Place.in_key(item.get("Key", ""))) is not None:
                    yield place

    def sealed(self, place: Place) -> Sealed | None:
        """None where nothing is handed in."""
        answer = self._get(place.handed_in)
        if answer is None:
            return None
        return Sealed(answer["Body"].read(_LARGEST + 1), answer["LastModified"].timestamp(), answer["ETag"])

    def opened(self, place: Place, sealed: Sealed) -> HandedIn | None:
        """None for what the page did not encrypt for this place."""
        if not 0 < len(sealed.ciphertext) <= _LARGEST:
            return None
        try:
            answer = self._keys.decrypt(
                KeyId=self._intake_key, CiphertextBlob=sealed.ciphertext, EncryptionContext=place.context
            )
            return HandedIn.from_json(answer["Plaintext"].decode())
        except (IntakeError, UnicodeDecodeError):
            return None
        except ClientError as error:
            if _code(error) in _NOT_OURS:
                return None
            raise

    def genuine(self, token: str) -> Link | None:
        """The link, if a person made it: one VerifyMac, whatever `token` is."""
        return verified(self._keys, self._link_key, token)

    def issued(self, place: Place) -> Issued | None:
        answer = self._get(place.link)
        return None if answer is None else Issued.from_json(answer["Body"].read().decode())

    def revoked(self, place: Place) -> bool:
        return self._get(place.revoked) is not None

    def confirmed(self, place: Place) -> Confirmed | None:
        answer = self._get(place.confirmed)
        return None if answer is None else Confirmed.from_json(answer["Body"].read().decode())

    def outcome(self, place: Place) -> tuple[Outcome | None, str | None]:
        """What was told before, and its version."""
        answer = self._get(place.outcome)
        return (None, None) if answer is None else (Outcome.from_json(answer["Body"].read().decode()), answer["ETag"])

    def tell(self, place: Place, outcome: Outcome, version: str | None) -> None:
        """`version` is that of the outcome that was read. Raises Overlap if it is not there any more."""
        body = outcome.to_json().encode()
        try:
            if version is None:
                self._store.put_object(Bucket=self._bucket, Key=place.outcome, Body=body, IfNoneMatch="*")
            else:
                self._store.put_object(Bucket=self._bucket, Key=place.outcome, Body=body, IfMatch=version)
        except ClientError as error:
            if _code(error) in _CONFLICTS | _GONE:
                raise Overlap(f"another run told the outcome of {place.outcome}") from None
            raise

    def end(self, place: Place, sealed: Sealed) -> None:
        """Deletes what was handed in. Another key that was handed in since then stays."""
        try:
            self._store.delete_object(Bucket=self._bucket, Key=place.handed_in, IfMatch=sealed.version)
        except ClientError as error:
            if _code(error) not in _CONFLICTS | _GONE:
                raise

    def _get(self, key: str) -> Any:
        try:
            return self._store.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
