"""The bucket of the platform: tenants' declarations and identities, the catalogue, and the function's own state.

Owns the objects' keys and what they hold. The state is written only over the version that was read, so that of two
invocations at once one fails instead of undoing the other's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from functions.health.catalogue import read_catalogue
from functions.health.facts import Catalogue
from functions.health.state import State
from functions.shared.handover_store import HandoverStore
from functions.shared.objects import Objects
from myflux_keys.declaration import CATALOGUE, DECLARATIONS, Declaration, DeclarationError
from myflux_keys.identity import IDENTITIES, IdentityError, TenantIdentity
from myflux_keys.names import TENANT_SLUG

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

STATE: Final = "health/state.json"


class Overlap(Exception):
    """Another invocation wrote the state in the meantime."""


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
        self._objects = Objects(client, bucket)
        self.handovers = HandoverStore(client, bucket)

    def tenants(self, cell: str, workers: Executor) -> Stored:
        return self._read(DECLARATIONS, cell, workers)

    def identities(self, cell: str, workers: Executor) -> Mapping[str, TenantIdentity]:
        return self._read(IDENTITIES, cell, workers).identities

    def _read(self, prefix: str, cell: str, workers: Executor) -> Stored:
        keys = [*self._objects.names(prefix)]
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
        found = self._objects.read(STATE)
        return (State(), None) if found is None else (State.from_json(found.text), found.version)

    def save(self, state: State, version: str | None) -> str:
        """The new version. Raises Overlap if the stored one is not `version` any more."""
        new = self._objects.write(STATE, state.to_json().encode(), version)
        if new is None:
            raise Overlap("another invocation of the health function wrote the state")
        return new

    def _text(self, key: str) -> str | None:
        """None for an object that is gone."""
        found = self._objects.read(key)
        return None if found is None else found.text
