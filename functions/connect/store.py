"""The intake as the page uses it: S3 for what it may read, KMS for what it may only write.

Owns which object holds what. Leaves out S3's conditions (`functions/shared/objects.py`) and what is written (`seen`,
`functions/shared/intake.py`). The role has no right to read what is handed in, nor to decrypt it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from functions.connect.seen import Refused, Seen
from functions.shared.intake import HandedIn, Issued, Outcome, Place
from functions.shared.objects import Objects

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client

_TRIES: Final = 8
"""Of a change that others' changes cross."""


class Store:
    """Of one bucket. Methods raise botocore's errors too."""

    def __init__(self, s3: S3Client, kms: KMSClient, bucket: str, key: str) -> None:
        self._objects = Objects(s3, bucket)
        self._kms, self._key = kms, key

    def issued(self, place: Place) -> Issued | None:
        """None for a link that the command did not issue. Raises IntakeError."""
        found = self._objects.read(place.link)
        return Issued.from_json(found.text) if found else None

    def revoked(self, place: Place) -> bool:
        return self._objects.read(place.revoked) is not None

    def outcome(self, place: Place) -> Outcome | None:
        """Raises IntakeError."""
        found = self._objects.read(place.outcome)
        return Outcome.from_json(found.text) if found else None

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
            if self._objects.write(place.seen, new.to_json().encode(), version):
                return new
        raise Refused("busy", 2)

    def hand_in(self, place: Place, handed_in: HandedIn) -> bool:
        """Writes the ciphertext. False if there is one already, and then it stays."""
        encrypted = self._kms.encrypt(
            KeyId=self._key, Plaintext=handed_in.to_json().encode(), EncryptionContext=place.context
        )
        return self._objects.write(place.handed_in, encrypted["CiphertextBlob"], None) is not None

    def _seen(self, place: Place) -> tuple[Seen, str | None]:
        found = self._objects.read(place.seen)
        return (Seen.from_json(found.text), found.version) if found else (Seen(), None)
