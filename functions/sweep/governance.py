"""Whether the organization would still let a rotation mint: asked before one is due.

Owns the question. Leaves out when it is asked. The Admin API shows no policy about keys (openai-python 3.54 has none
under `admin.organization`, and the audit log's event types name none), so the only way to know is to ask for a key as a
rotation does, for the longest life that any tenant of the cell needs. A shorter one would not show a maximum lifetime.

Why this is safe: the key is made by the rotation's own minting call on our own service account; its value is dropped
unread within this file and never stored, so nobody can hold it; it is ended at once; and were the function killed just
between, its name is one of our scheme with no version behind it, which the next sweep removes as an orphan.
"""

from __future__ import annotations

import logging
import uuid
from typing import Final

from functions.rotation.mint import mint
from functions.rotation.tenant import Tenant
from functions.shared import log
from functions.shared.openai_admin import KEEP_SECONDS, AdminAPI, ProjectKeys
from functions.shared.openai_http import OpenAIError

_REFUSALS: Final = frozenset({400, 403, 409, 422})
"""Answers that repeat themselves. 401 is about the admin key, 404 about the project, 429 and 5xx about the moment."""


def refusal(api: AdminAPI, tenant: Tenant) -> str | None:
    """OpenAI's own words where it refuses a key such as the tenant's next rotation asks for; None where it grants one.

    Raises OpenAIError where the answer says nothing about policies, or the key could not be ended.
    """
    name = tenant.key_name(f"governance-{uuid.uuid4()}")
    keys = ProjectKeys(api, tenant.project_id)
    try:
        key_id = mint(api, tenant, name, keep=2 * KEEP_SECONDS).id
    except OpenAIError as error:
        if error.maybe_applied:
            _end_by_name(keys, tenant, name)
        if error.status in _REFUSALS and error.explained:
            log.line("sweep.governance", level=logging.ERROR, tenant=tenant.tenant, error=str(error))
            return error.message
        raise
    log.line("sweep.governance", tenant=tenant.tenant, key_id=key_id, ended=keys.end(key_id))
    return None


def _end_by_name(keys: ProjectKeys, tenant: Tenant, name: str) -> None:
    for key in keys.of_service_account(tenant.service_account_id):
        if key.name == name:
            log.line("sweep.governance", tenant=tenant.tenant, key_id=key.id, ended=keys.end(key.id))


def strictest(tenants: list[Tenant], day: int) -> Tenant | None:
    """Whom to ask for: one that needs the longest life, another each day, so that every project has its turn."""
    longest = max((tenant.life for tenant in tenants), default=0)
    asking = sorted((tenant for tenant in tenants if tenant.life == longest), key=lambda tenant: tenant.tenant)
    return asking[day % len(asking)] if asking else None
