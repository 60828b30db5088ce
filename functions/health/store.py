"""The bucket of the platform: tenants' declarations and identities, the catalogue, and the function's own state.

Owns the objects' keys and their reading and writing. The state is written only over the version that was read (S3's
If-Match), so that of two invocations at once one fails instead of undoing the other's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from functions.health.catalogue import read_catalogue
from functions.health.facts import Catalogue
from functions.health.state import State
from functions.shared.handover_store import HandoverStore
from myflux_keys.declaration import CATALOGUE, DECLARATIONS, Declaration, DeclarationError
from myflux_keys.identity import IDENTITIES, IdentityError, TenantIdentity
from myflux_keys.names import TENANT_SLUG

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

STATE: Final = "health/state.json"
_CONFLICTS: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class Overlap(Exception):
    """Another invocation wrote the state in the meantime."""


def new_client() -> S3Client:
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=16,
    )
    return boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]


def slug_of(key: str) -> str:
    """The tenant of a declaration's or an identity's key."""
    return key.rsplit("/", 1)[-1].removesuffix(".json")


def _declaration(text: str, slug: str, cell: str) -> Declaration:
    """Raises DeclarationError."""
    one = Declaration.from_json(text)
    if (one.tenant, one.cell) != (slug, cell) or not TENANT_SLUG.fullmatch(slug):
        raise DeclarationError(f"the declaration is of tenant {one.tenant} in cell {one.cell}")
    return one


def _identity(text: str, slug: str, cell: str) -> TenantIdentity:
    """Raises IdentityError."""
    one = TenantIdentity.from_json(text)
    if (one.tenant, one.cell) != (slug, cell) or not TENANT_SLUG.fullmatch(slug):
        raise IdentityError(f"the identity is of tenant {one.tenant} in cell {one.cell}")
    return one


@dataclass(frozen=True)
class Stored:
    """Declarations and identities by tenant, and why others could not be read, by object."""

    declared: dict[str, Declaration]
    identities: dict[str, TenantIdentity]
    wrong: dict[str, str]


class Store:
    """Methods raise botocore's errors too."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self.handovers = HandoverStore(client, bucket)

    def tenants(self, cell: str, workers: Executor) -> Stored:
        return self._read(DECLARATIONS, cell, workers)

    def identities(self, cell: str, workers: Executor) -> Mapping[str, TenantIdentity]:
        return self._read(IDENTITIES, cell, workers).identities

    def _read(self, prefix: str, cell: str, workers: Executor) -> Stored:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", []) if "Key" in item]
        found = Stored({}, {}, {})
        for key, text in zip(keys, workers.map(self._text, keys), strict=True):
            if text is None:
                continue
            slug = slug_of(key)
            try:
                if key.startswith(IDENTITIES):
                    found.identities[slug] = _identity(text, slug, cell)
                else:
                    found.declared[slug] = _declaration(text, slug, cell)
            except (DeclarationError, IdentityError) as error:
                found.wrong[key] = str(error)
        return found

    def declaration(self, cell: str, slug: str) -> Declaration | None:
        """One tenant's; None if there is none. Raises DeclarationError."""
        text = self._text(f"{DECLARATIONS}{slug}.json")
        return None if text is None else _declaration(text, slug, cell)

    def identity(self, cell: str, slug: str) -> TenantIdentity | None:
        """One tenant's; None if it has none. Raises IdentityError."""
        text = self._text(f"{IDENTITIES}{slug}.json")
        return None if text is None else _identity(text, slug, cell)

    def catalogue(self) -> Catalogue:
        """Empty if there is none, or none that can be read."""
        return read_catalogue(self._text(CATALOGUE))

    def state(self) -> tuple[State, str | None]:
        """The state and its version, None if there is none yet. Raises StateError."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=STATE)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return State(), None
            raise
        return State.from_json(answer["Body"].read().decode()), answer["ETag"]

    def save(self, state: State, version: str | None) -> str:
        """The new version. Raises Overlap if the stored one is not `version` any more."""
        body = state.to_json().encode()
        try:
            if version is None:
                answer = self._client.put_object(Bucket=self._bucket, Key=STATE, Body=body, IfNoneMatch="*")
            else:
                answer = self._client.put_object(Bucket=self._bucket, Key=STATE, Body=body, IfMatch=version)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _CONFLICTS:
                raise Overlap("another invocation of the health function wrote the state") from None
            raise
        return answer["ETag"]

    def _text(self, key: str) -> str | None:
        """None for an object that is gone."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read().decode()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
