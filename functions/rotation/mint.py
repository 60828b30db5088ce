"""The one call that makes a key.

Only the answer holds the value, so a repeated call can leave a valid key whose value nobody has. Only the rotation's
and the sweep's zips hold this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from functions.rotation.tenant import Tenant
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError, path
from myflux_keys.payload import SecretText

MINT_SECONDS: Final = 15.0
"""After this the answer counts as lost, and the key that it may have made is looked up by name."""


@dataclass(frozen=True)
class MintedKey:
    """OpenAI shows `value` once, here. Times are Unix seconds by OpenAI's clock."""

    id: str
    value: SecretText
    created_at: int
    expires_at: int


def mint(api: AdminAPI, tenant: Tenant, key_name: str, *, keep: float) -> MintedKey:
    """`keep`: the seconds that a wait must leave.

    Raises OpenAIError; if `maybe_applied`, a key called `key_name` may exist.
    """
    target = path(
        "/organization/projects/{project}/service_accounts/{account}/api_keys",
        project=tenant.project_id,
        account=tenant.service_account_id,
    )
    body = {"name": key_name, "scopes": list(tenant.scopes), "expires_in_seconds": tenant.life}
    answer = api.send("POST", target, body=body, repeatable=False, seconds=MINT_SECONDS, keep=keep)
    key_id: Any = answer.get("id")
    value: Any = answer.get("value")
    created_at: Any = answer.get("created_at")
    expires_at: Any = answer.get("expires_at")
    if not (isinstance(key_id, str) and isinstance(value, str) and value and isinstance(created_at, int)):
        raise OpenAIError("the mint", "the answer lacks id, value or created_at", maybe_applied=True, status=200)
    if not isinstance(expires_at, int):
        raise OpenAIError("the mint", "the key was made without an expiry", maybe_applied=True, status=200)
    return MintedKey(key_id, SecretText(value), created_at, expires_at)
