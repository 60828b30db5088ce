"""Gathers the facts of one tenant: OpenAI's keys first, then the secret's labels and what its versions hold.

Owns the order, which `decide_keys.py` needs: a listed key was stored, if at all, before the labels are read. Leaves out
deciding. Values are read for their keys' ids, and only the previous key is used, to test whether OpenAI still accepts
a key that should be invalid. No value leaves this file.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.rotation.proof import CALL_SECONDS, Proof, judge
from functions.rotation.tenant import Tenant, read_tenant
from functions.rotation.version import read_payload
from functions.shared import log
from functions.shared.openai_admin import Key, ProjectKeys
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from functions.shared.rotation_guard import RotationError
from functions.shared.secrets_manager import SecretStore
from functions.sweep.decide_keys import is_expired
from functions.sweep.facts import Facts
from functions.sweep.held_keys import among, held_keys
from functions.sweep.tenants import TenantSecret, describe
from myflux_keys.payload import Payload
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS

if TYPE_CHECKING:
    from functions.sweep.services import Services


def gather(listed: TenantSecret, services: Services) -> Facts:
    """Raises OpenAIError, Refused, or botocore's errors."""
    cell = services.environment.cell
    tenant = read_tenant(listed.state, cell)
    project = ProjectKeys(services.api.at(tenant.admin_secret), tenant.project_id)
    keys = project.all()
    secret = describe(services.secrets, listed.arn, cell)
    tenant = read_tenant(secret.state, cell)
    versions = {
        label: version for label in (CURRENT, PREVIOUS, PENDING) if (version := secret.state.version_with(label))
    }
    store = SecretStore(services.secrets, secret.arn)
    payloads, unreadable = _payloads(versions, store, secret.tenant)
    held = {label: payload.key_id for label, payload in payloads.items()}
    current = held.get(CURRENT)
    if current is not None and all(key.id != current for key in keys):
        # A rotation may have ended between the two reads.
        keys = project.all()
    now = services.now()
    return Facts(
        now=now,
        tenant=tenant,
        keys=tuple(keys),
        versions=versions,
        held=held,
        unreadable=unreadable,
        promoted_at=_promoted_at(secret, keys, current),
        previous_accepted=_is_accepted(payloads.get(PREVIOUS), current, keys, now, services.api.http),
        adopted=_adopted(tenant, keys, frozenset(held.values()), store),
        consumers=secret.consumers,
        handovers=services.handovers.records(secret.tenant, secret.pasted, "sweep.handover"),
        made=store.made_at() if secret.pasted else {},
    )


def _adopted(tenant: Tenant, keys: list[Key], held: frozenset[str], store: SecretStore) -> frozenset[str]:
    """Ids of keys that we did not make but that some version of the secret holds. Older versions, up to a hundred, are
    read only if there is such a key."""
    prefix = tenant.key_name("")
    others = [
        key for key in keys if key.service_account_id != tenant.service_account_id or not key.name.startswith(prefix)
    ]
    if all(key.id in held for key in others):
        return frozenset(key.id for key in others)
    found = (among(one, others) for one in held_keys(store, store.versions()))
    return held & {key.id for key in others} | {key.id for key in found if key is not None}


def _payloads(versions: dict[str, str], store: SecretStore, tenant: str) -> tuple[dict[str, Payload], frozenset[str]]:
    """What the versions hold, by label, and the labels of those whose value is not ours."""
    payloads: dict[str, Payload] = {}
    unreadable: set[str] = set()
    for label, version in versions.items():
        stored = store.value(version)
        if stored is None:
            continue
        try:
            payloads[label] = read_payload(stored, tenant, version)
        except RotationError:
            unreadable.add(label)
    return payloads, frozenset(unreadable)


def _promoted_at(secret: TenantSecret, keys: list[Key], current: str | None) -> float | None:
    """When the live version became live: AWS's date of the last rotation, but not before its key was made.

    AWS sets the date when a rotation is over, so during one it is that of the rotation before.
    """
    made = [float(key.created_at) for key in keys if key.id == current]
    return max([*made, secret.last_rotated or 0.0]) if made else None


def _is_accepted(
    payload: Payload | None, current: str | None, keys: list[Key], now: float, http: OpenAIHTTP
) -> bool | None:
    """Whether OpenAI still accepts the previous key; tested only if it should be invalid."""
    if payload is None or payload.key_id == current:
        return None
    if payload.source == "customer":
        # From before keys were minted here: the customer must revoke it.
        return None
    if any(key.id == payload.key_id and not is_expired(key, now) for key in keys):
        return None
    error: OpenAIError | None = None
    try:
        http.send("GET", path("/models/{model}", model=payload.models[0]), payload.api_key, seconds=CALL_SECONDS)
    except OpenAIError as caught:
        error = caught
    proof = judge(error)
    if proof is Proof.UNCLEAR:
        log.line("sweep.unclear", level=logging.WARNING, key_id=payload.key_id, error=str(error))
        return None
    return proof.valid
