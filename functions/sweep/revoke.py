"""Ends every key on a tenant's service account now, and looks again until none is left alive.

Owns the order and the proof. Leaves out stopping a rotation that is minting meanwhile: whoever asks for this disables
the tenant first and rotates afterwards. Safe to repeat: what is dead already is passed over.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from botocore.exceptions import ClientError

from functions import log
from functions.openai_admin import Key, ProjectKeys
from functions.openai_http import OpenAIError
from functions.rotation.tenant import Refused, read_tenant
from functions.sweep.services import Services
from functions.sweep.tenants import TenantSecret, describe
from myflux_keys import names

_ROUNDS: Final = 3
_DYING_SECONDS: Final = 5
"""A key with so little left counts as ended: where OpenAI refuses to delete, its life is set to one second."""


def revoke_all(tenant_slug: str, services: Services) -> dict[str, Any]:
    """``revoked`` and ``failed`` (with the error of each) are keys of the service account, by id; ``foreign`` are other
    keys in the project, which are never touched. Raises Refused, OpenAIError, or botocore's errors."""
    cell = services.environment.cell
    secret = tenant_secret(tenant_slug, services)
    if not secret.managed:
        raise Refused(f"the key of {tenant_slug} is the customer's own: only they can revoke it, at OpenAI")
    tenant = read_tenant(secret.state, cell)
    keys = ProjectKeys(services.api.at(tenant.admin_secret), tenant.project_id)
    revoked: dict[str, str] = {}
    errors: dict[str, str] = {}
    alive, foreign = _alive(keys, tenant.service_account_id, services)
    for _ in range(_ROUNDS):
        if not alive:
            break
        for key in alive:
            try:
                revoked[key.id] = keys.retire(key.id)
            except OpenAIError as error:
                errors[key.id] = str(error)
                log.line("revoke.failed", level=logging.ERROR, tenant=tenant_slug, key_id=key.id, error=str(error))
        alive, foreign = _alive(keys, tenant.service_account_id, services)
    left = {key.id for key in alive}
    failed = [{"key_id": key, "error": errors.get(key, "OpenAI still lists it as alive")} for key in sorted(left)]
    ended = {key: how for key, how in revoked.items() if key not in left}
    log.line("revoke.done", tenant=tenant_slug, ended=ended, failed=sorted(left), foreign=foreign)
    return {"tenant": tenant_slug, "revoked": sorted(ended), "failed": failed, "foreign": foreign}


def tenant_secret(tenant_slug: str, services: Services) -> TenantSecret:
    """Raises Refused where the cell has none that is tagged as ours, or botocore's errors."""
    cell = services.environment.cell
    name = names.secret_name(cell, tenant_slug)
    try:
        return describe(services.secrets, name, cell)
    except ClientError as error:
        # Permission hangs on the secret's tags, so AWS denies what is not there.
        if error.response.get("Error", {}).get("Code") in ("AccessDeniedException", "ResourceNotFoundException"):
            raise Refused(f"cell {cell} has no secret {name} that is tagged as ours: nothing was changed") from None
        raise


def _alive(keys: ProjectKeys, service_account_id: str, services: Services) -> tuple[list[Key], list[str]]:
    """Living keys of the service account, and the ids of others'."""
    listed = keys.all()
    living = [key for key in listed if key.expires_at is None or key.expires_at > services.now() + _DYING_SECONDS]
    ours = [key for key in living if key.service_account_id == service_account_id]
    return ours, [key.id for key in living if key.service_account_id != service_account_id]
