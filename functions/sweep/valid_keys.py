"""A tenant's keys: which are valid, whose they are, and which the secret holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.shared.openai_admin import Key, ProjectKeys
from functions.shared.secrets_manager import SecretStore
from functions.sweep.held_keys import HeldKey, among, held_keys
from functions.sweep.locate_tenant import Target
from functions.sweep.services import Services
from myflux_keys import names
from myflux_keys.payload import SecretText
from myflux_keys.version_labels import CURRENT, version_with

REVOKED_WITHIN_SECONDS: Final = 5
"""A key that expires within this time counts as revoked: if OpenAI refuses to delete, it expires in a second."""


@dataclass(frozen=True)
class ValidKeys:
    """`ours` and `foreign` are the project's valid keys; `held` all keys that the secret's versions hold, also invalid
    ones; `known` has the id of those in the project's list. `current` is the id of the live version's key."""

    ours: tuple[Key, ...]
    foreign: tuple[Key, ...]
    held: tuple[HeldKey, ...]
    known: Mapping[SecretText, str]
    current: str | None


def read_valid_keys(target: Target, services: Services) -> ValidKeys:
    """A key is ours if it is on the tenant's service account, on another one of its name (a create whose answer was
    lost makes two), or held by any version of the secret. Raises OpenAIError, or botocore's errors.
    """
    project = target.project_id
    # For an archived project OpenAI lists no key and accepts none.
    listed = ProjectKeys(target.api, project).all() if project is not None and not target.archived else []
    held, live = _held(target, services)
    found = ((key, among(key, listed)) for key in held)
    known = {key.value: listed_key.id for key, listed_key in found if listed_key is not None}
    now = services.now()
    valid = [key for key in listed if key.expires_at is None or key.expires_at > now + REVOKED_WITHIN_SECONDS]
    ours = [key for key in valid if key.id in known.values() or _on_our_account(key, target)]
    foreign = [key for key in valid if key not in ours]
    current = next((known.get(key.value) for key in held if live in key.versions), None)
    return ValidKeys(tuple(ours), tuple(foreign), tuple(held), known, current)


def _held(target: Target, services: Services) -> tuple[list[HeldKey], str | None]:
    if target.secret is None or target.deletion_scheduled:
        return [], None
    store = SecretStore(services.secrets, target.secret.arn)
    versions = store.versions()
    return held_keys(store, versions), version_with(CURRENT, versions)


def _on_our_account(key: Key, target: Target) -> bool:
    by_id = bool(target.service_account_id) and key.service_account_id == target.service_account_id
    return by_id or key.service_account == names.SERVICE_ACCOUNT
