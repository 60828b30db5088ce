"""Whether OpenAI would still let a rotation mint a key, tested before one is due.

The Admin API shows no policy about keys (openai-python 3.54 has none
under `admin.organization`, and the audit log's event types name none), so the only test is to mint a key as a rotation
does, with the longest life that any tenant of the cell needs. A shorter one would not show a maximum lifetime.

Why this is safe: the key is minted by the rotation's own call on our own service account; its value is neither read nor
stored; it is revoked at once; and if the function is killed in between, the next sweep revokes it as an orphan, since
its name is one of ours without a version.
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
    """OpenAI's message if it refuses a key like the one that the tenant's next rotation needs; None if it grants one.

    Raises OpenAIError if the answer is not about policies, or the key could not be revoked.
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
    """The tenant to test with: one that needs the longest life, another one each day; None without tenants."""
    longest = max((tenant.life for tenant in tenants), default=0)
    asking = sorted((tenant for tenant in tenants if tenant.life == longest), key=lambda tenant: tenant.tenant)
    return asking[day % len(asking)] if asking else None
