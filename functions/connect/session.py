"""Whose link a request brings: its token, verified by KMS in every request.

Nothing is remembered between requests, so nobody can make a session, and a revoked link ends at once. Every request
costs one VerifyMac, whatever it brings: no answer and no time tells an unknown link from a tampered one, or from that
of another cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from functions.shared.link import Link
from functions.shared.link_mac import verified

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

COOKIE: Final = "__Host-link"
"""The prefix makes browsers refuse it from another host, another path, or without TLS."""


def new_client() -> KMSClient:
    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("kms", config=config)  # pyright: ignore[reportUnknownMemberType]


def verify(kms: KMSClient, key: str, cell: str, token: str) -> Link | None:
    """None for whatever is no link of this cell. An expired link is one: its holder may be told so. Raises botocore's
    errors."""
    link = verified(kms, key, token)
    return link if link is not None and link.cell == cell else None


def cookie(token: str, seconds: int) -> str:
    return f"{COOKIE}={token}; Max-Age={max(seconds, 0)}; Path=/; Secure; HttpOnly; SameSite=Strict"
