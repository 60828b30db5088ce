"""Whether a person made a link: its MAC, verified by KMS. Owns the call; leaves out the token's form (`link.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from functions.shared.link import MAC_ALGORITHM, NO_TOKEN, Link, read, signed_part

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


def verified(kms: KMSClient, key: str, token: str) -> Link | None:
    """The link that `token` says, if it was signed with `key`. One VerifyMac, whatever `token` is. Raises botocore's
    errors."""
    message, mac = signed_part(token) or NO_TOKEN
    try:
        kms.verify_mac(KeyId=key, MacAlgorithm=MAC_ALGORITHM, Message=message, Mac=mac)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "KMSInvalidMacException":
            return None
        raise
    return read(message)
