"""The intake's bucket, the ciphertext of what was handed in, and the MAC of its link.

Owns which object holds what, and the calls to KMS. Leaves out decisions. An outcome is written, and a copy deleted,
only over the version that was read: of two runs at once one fails, and none undoes the other's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.shared.intake import HANDED_IN, Confirmed, HandedIn, IntakeError, Issued, Outcome, Place
from functions.shared.link import Link
from functions.shared.link_mac import verified
from functions.shared.objects import Found, Objects

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

_CONFIG: Final = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
_NOT_OURS: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})
_LARGEST: Final = 6_144
"""Bytes of a ciphertext. KMS refuses a longer one, and an empty one, by its form (ValidationException):
https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html"""


class Overlap(Exception):
    """Another run was faster: what was read is not there any more."""


def new_keys() -> KMSClient:
    return boto3.client("kms", config=_CONFIG)  # pyright: ignore[reportUnknownMemberType]


class Intake:
    """Methods raise botocore's errors too."""

    def __init__(self, store: S3Client, keys: KMSClient, bucket: str, intake_key: str, link_key: str) -> None:
        self._objects = Objects(store, bucket)
        self._keys = keys
        self._intake_key = intake_key
        self._link_key = link_key

    def places(self) -> Iterator[Place]:
        """Where something was handed in."""
        for name in self._objects.names(HANDED_IN):
            if (place := Place.in_key(name)) is not None:
                yield place

    def sealed(self, place: Place) -> Found | None:
        """The ciphertext; None where nothing is handed in."""
        return self._objects.read(place.handed_in, _LARGEST + 1)

    def opened(self, place: Place, sealed: Found) -> HandedIn | None:
        """None for what the page did not encrypt for this place."""
        if not 0 < len(sealed.body) <= _LARGEST:
            return None
        try:
            answer = self._keys.decrypt(
                KeyId=self._intake_key, CiphertextBlob=sealed.body, EncryptionContext=place.context
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
        found = self._objects.read(place.link)
        return None if found is None else Issued.from_json(found.text)

    def revoked(self, place: Place) -> bool:
        return self._objects.read(place.revoked) is not None

    def confirmed(self, place: Place) -> Confirmed | None:
        found = self._objects.read(place.confirmed)
        return None if found is None else Confirmed.from_json(found.text)

    def outcome(self, place: Place) -> tuple[Outcome | None, str | None]:
        """What was told before, and its version."""
        found = self._objects.read(place.outcome)
        return (None, None) if found is None else (Outcome.from_json(found.text), found.version)

    def tell(self, place: Place, outcome: Outcome, version: str | None) -> None:
        """`version` is that of the outcome that was read. Raises Overlap if it is not there any more."""
        if self._objects.write(place.outcome, outcome.to_json().encode(), version) is None:
            raise Overlap(f"another run told the outcome of {place.outcome}")

    def end(self, place: Place, sealed: Found) -> None:
        """Deletes what was handed in. Another key that was handed in since then stays."""
        self._objects.delete(place.handed_in, sealed.version)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
