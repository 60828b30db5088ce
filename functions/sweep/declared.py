"""Which tenants are declared and which have an identity, by the list of their objects in the health bucket.

Names and times alone: the sweep may read no declaration, and needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from myflux_keys.declaration import DECLARATIONS
from myflux_keys.identity import IDENTITIES

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


SWITCH_SECONDS: Final = 4 * 3600
"""On the way to a key the rule stays after the identity, until the last token has ended: an hour or more
(`ops/actions/credential.py`). A longer one was stopped."""


@dataclass(frozen=True)
class Declared:
    """`written`: when a tenant's declaration was last written, in Unix seconds by AWS's clock, by slug. A change of
    `enabled` or `credential` writes it. `federated`: slugs of tenants with an identity, which get tokens."""

    written: Mapping[str, float] = field(default_factory=dict[str, float])
    federated: frozenset[str] = frozenset()

    @property
    def tenants(self) -> frozenset[str]:
        return frozenset(self.written)

    def switching(self, now: float) -> frozenset[str]:
        """Those without an identity whose switch to a key may be under way, so that they may have a rule still."""
        return frozenset(
            slug for slug, at in self.written.items() if slug not in self.federated and now - at < SWITCH_SECONDS
        )


def declared(client: S3Client, bucket: str) -> Declared:
    """Raises botocore's errors."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=DECLARATIONS)
    written: dict[str, float] = {}
    federated: set[str] = set()
    for item in (one for page in pages for one in page.get("Contents", [])):
        if "Key" not in item or "LastModified" not in item:
            continue
        slug = item["Key"].rsplit("/", 1)[-1].removesuffix(".json")
        if item["Key"].startswith(IDENTITIES):
            federated.add(slug)
        else:
            written[slug] = item["LastModified"].timestamp()
    return Declared(written, frozenset(federated))
