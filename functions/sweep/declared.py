"""Which tenants are declared and which have an identity, by the names of their objects in the health bucket.

Names alone: the sweep may read no declaration, and needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from myflux_keys.declaration import DECLARATIONS
from myflux_keys.identity import IDENTITIES

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Declared:
    """Tenants' slugs. `federated`: those with an identity, which get tokens."""

    tenants: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()


def declared(client: S3Client, bucket: str) -> Declared:
    """Raises botocore's errors."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=DECLARATIONS)
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if "Key" in item]
    slugs = {key: key.rsplit("/", 1)[-1].removesuffix(".json") for key in keys}
    federated = frozenset(slug for key, slug in slugs.items() if key.startswith(IDENTITIES))
    return Declared(frozenset(slug for key, slug in slugs.items() if not key.startswith(IDENTITIES)), federated)
