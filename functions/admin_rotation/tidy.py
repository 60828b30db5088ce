"""Once a day: deletes the admin keys that were replaced, or that an abandoned rotation left.

`endings.py` decides which. If our own key cannot be identified in the list, nothing is deleted: deleting the wrong
admin key stops the whole cell.
"""

from __future__ import annotations

import logging

from functions.admin_rotation.endings import endings
from functions.admin_rotation.guard import read_lifetimes
from functions.admin_rotation.steps import end_admin_key
from functions.shared import log
from functions.shared.admin_keys import AdminKeyRecord, list_admin_keys, own_key
from functions.shared.environment import Environment
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_frame import Outcome
from functions.shared.rotation_guard import RotationError
from functions.shared.secrets_manager import SecretState, SecretStore
from myflux_keys import names
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS


def tidy(environment: Environment, store: SecretStore, api: AdminAPI) -> Outcome:
    """Raises RotationError, after all else is done, if a key is valid that should not be."""
    state = store.describe()
    current_version = state.version_with(CURRENT)
    if current_version is None:
        return {"outcome": "no_key_yet"}
    lifetimes = read_lifetimes(state)
    keys = list_admin_keys(api)
    current = _of_version(environment, store, keys, current_version)
    if current is None:
        raise RotationError(
            f"none or several of OpenAI's {len(keys)} admin keys match version {current_version}: none was deleted. "
            "Delete old admin keys by hand, under Settings, Organization, Admin keys"
        )
    found = endings(
        keys,
        cell=environment.cell,
        current=current,
        replaced=_replaced(environment, store, keys, state),
        kept_versions=[version for version in (current_version, state.version_with(PENDING)) if version],
        changed_at=state.changed_at,
        now=api.http.server_time,
        overlap=lifetimes.overlap,
    )
    ended: list[str] = []
    failures: list[str] = []
    for ending in found:
        key = ending.key
        if ending.action == "still_used":
            failures.append(f"{key.id} was replaced, but somebody still uses it: give them a key of their own")
            continue
        try:
            end_admin_key(api, key.id)
        except OpenAIError as error:
            failures.append(f"{key.id} could not be deleted: {error}")
        else:
            ended.append(key.id)
            log.line("admin_key.ended", level=logging.WARNING, key_id=key.id, key_name=key.name)
    # OpenAI's answer to a deletion is not enough: the list shows the result.
    left = {key.id for key in list_admin_keys(api)} if ended else set[str]()
    failures += [f"OpenAI answered that {key_id} was deleted, but still lists it" for key_id in ended if key_id in left]
    if failures:
        raise RotationError("old admin keys are still valid: " + "; ".join(failures))
    return {"outcome": "tidied", "key_id": current.id, "ended": ended}


def _replaced(
    environment: Environment, store: SecretStore, keys: list[AdminKeyRecord], state: SecretState
) -> AdminKeyRecord | None:
    version = state.version_with(PREVIOUS)
    return None if version is None else _of_version(environment, store, keys, version)


def _of_version(
    environment: Environment, store: SecretStore, keys: list[AdminKeyRecord], version: str
) -> AdminKeyRecord | None:
    value = store.value(version)
    return None if value is None else own_key(keys, value, names.admin_key_name(environment.cell, version))
