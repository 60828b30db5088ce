"""Revokes every key of a tenant, then verifies it with OpenAI's list and a call with each key in the secret.

Owns the order and the verification. Leaves out stopping a rotation that mints at the same time: the caller disables the
tenant first and rotates afterwards. Safe to repeat: invalid keys are skipped.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final

from functions.rotation.proof import Proof
from functions.shared import log
from functions.shared.openai_admin import Key, ProjectKeys
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import Refused
from functions.sweep.held_keys import DELETED_PATIENCE_SECONDS, PATIENCE_SECONDS, HeldKey, not_refused
from functions.sweep.locate_tenant import Target, find
from functions.sweep.request import KeysRequest, RevokeRequest
from functions.sweep.rules import read_providers
from functions.sweep.services import Services
from functions.sweep.valid_keys import ValidKeys, read_valid_keys
from myflux_keys.names import project_name
from myflux_keys.payload import SecretText

_ROUNDS: Final = 3


def revoke_all(request: RevokeRequest, services: Services) -> dict[str, Any]:
    """`revoked`: ids of keys that were revoked, which was verified. `failed`: keys of the project that are, or may be,
    still valid, each with the reason. `beyond`: valid keys in the secret that are not in the tenant's project, so that
    only somebody else can revoke them. `foreign`: other valid keys in the project, revoked only with `whole_project`.
    `unseen`: what could not be checked; empty if nothing.

    Raises Refused, OpenAIError, AdminKeyMissing, or botocore's errors.
    """
    target = find(request.tenant, services, organization_id=request.organization_id)
    if target.secret is None and not request.whole_project:
        cell = services.environment.cell
        raise Refused(f"cell {cell} has no secret of {request.tenant} with our tags: nothing was changed")
    revoked: dict[str, str] = {}
    errors: dict[str, str] = {}
    seen = read_valid_keys(target, services)
    known = dict(seen.known)
    for _ in range(_ROUNDS):
        to_revoke = _to_revoke(seen, request)
        if not to_revoke:
            break
        keys = ProjectKeys(target.api, str(target.project_id))
        for key in to_revoke:
            try:
                revoked[key.id] = keys.retire(key.id)
            except OpenAIError as error:
                errors[key.id] = str(error)
                log.line("revoke.failed", level=logging.ERROR, tenant=target.tenant, key_id=key.id, error=str(error))
        seen = read_valid_keys(target, services)
        known |= seen.known
    left = {key.id for key in _to_revoke(seen, request)}
    failed = {key: errors.get(key, "OpenAI still lists it as valid") for key in left}
    failed_too, beyond = _answering(target, seen, known, left, services)
    failed |= failed_too
    ended = {key: how for key, how in revoked.items() if key not in failed}
    foreign = [] if request.whole_project else [key.id for key in seen.foreign]
    log.line("revoke.done", tenant=target.tenant, ended=ended, failed=failed, foreign=foreign, beyond=beyond)
    return {
        "tenant": target.tenant,
        "revoked": sorted(ended),
        "failed": [{"key_id": key, "error": why} for key, why in sorted(failed.items())],
        "foreign": foreign,
        "beyond": beyond,
        "unseen": _unseen(target),
    }


def valid_keys(request: KeysRequest, services: Services) -> dict[str, Any]:
    """Changes nothing. `current` is the id of the live version's key, None if OpenAI does not list it; `others` are
    our other valid keys; `foreign`, `beyond` and `unseen` as in `revoke_all`. `project` is ``active`` or ``archived``,
    None if OpenAI has none of that name. `rules`, only if asked for: ids of the federation rules that give tokens for
    the tenant's project, or have its name.

    Raises what `revoke_all` raises.
    """
    target = find(request.tenant, services, organization_id=request.organization_id)
    seen = read_valid_keys(target, services)
    ours = {key.id for key in seen.ours}
    doubtful, beyond = _answering(target, seen, seen.known, ours, services)
    asked = {"rules": _rules(target, services)} if request.rules else {}
    return asked | {
        "tenant": target.tenant,
        "project": None if target.project_id is None else "archived" if target.archived else "active",
        "current": seen.current if seen.current in ours else None,
        "others": sorted((ours | set(doubtful)) - {seen.current}),
        "foreign": [key.id for key in seen.foreign],
        "beyond": beyond,
        "unseen": _unseen(target),
    }


def _rules(target: Target, services: Services) -> list[str]:
    name = project_name(services.environment.cell, target.tenant)
    return sorted(
        str(rule["id"])
        for provider in read_providers(services)
        for rule in provider.rules
        if rule.get("name") == name or (target.project_id and rule.get("project_id") == target.project_id)
    )


def _to_revoke(seen: ValidKeys, request: RevokeRequest) -> list[Key]:
    return [*seen.ours, *(seen.foreign if request.whole_project else ())]


def _answering(
    target: Target, seen: ValidKeys, known: Mapping[SecretText, str], alive: Collection[str], services: Services
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Keys of the secret that OpenAI does not refuse although it does not list them as `alive`: first those that are,
    or were, in the tenant's project, by id, with the reason; then the others."""
    doubted = [key for key in seen.held if known.get(key.value) not in alive]
    near = [key for key in doubted if key.value in known or (key.project_id and key.project_id == target.project_id)]
    far = [key for key in doubted if key not in near]
    http, deadline = services.api.http, services.deadline
    # OpenAI may accept a deleted key for some more seconds.
    accepted = not_refused(near, http, deadline, patience=DELETED_PATIENCE_SECONDS)
    reasons = {known.get(key.value) or key.named: _why(proof) for key, proof in accepted.items()}
    beyond = not_refused(far, http, deadline, patience=PATIENCE_SECONDS)
    unclear = {key.named: _why(proof) for key, proof in beyond.items() if not proof.valid}
    return reasons | unclear, [_shown(key) for key, proof in beyond.items() if proof.valid]


def _why(proof: Proof) -> str:
    if proof.valid:
        return "OpenAI no longer lists it as valid, but still accepts it"
    return "OpenAI's answer does not show whether it still accepts this key"


def _shown(key: HeldKey) -> dict[str, Any]:
    return {
        "key": key.named,
        "project_id": key.project_id or None,
        "versions": list(key.versions),
        "customers": key.customers,
    }


def _unseen(target: Target) -> str:
    if target.secret is None:
        return "the secret does not exist, so the keys that it held are unknown"
    if target.deletion_scheduled:
        return "the secret's deletion is scheduled, so its keys cannot be read"
    return ""
