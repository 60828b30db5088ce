"""The one call that makes an admin key.

Only the answer holds the value, so a repeated call can leave a valid key whose value nobody has. Only the admin
rotation's zip holds this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from functions.shared.admin_keys import PATH
from functions.shared.openai_admin import AdminAPI
from functions.shared.openai_http import OpenAIError
from myflux_keys.payload import SecretText

MINT_SECONDS: Final = 15.0
"""After this the answer counts as lost, and the key that it may have made is looked up by name."""


@dataclass(frozen=True)
class MintedAdminKey:
    """OpenAI shows `value` once, here. `expires_at` in Unix seconds by OpenAI's clock."""

    id: str
    value: SecretText
    expires_at: int


def mint(api: AdminAPI, name: str, life: int, *, keep: float) -> MintedAdminKey:
    """Asks for a key of `life` seconds; `keep`: the seconds that a wait must leave.

    Raises OpenAIError; if `maybe_applied`, a key called `name` may exist.
    """
    body = {"name": name, "expires_in_seconds": life}
    answer = api.send("POST", PATH, body=body, repeatable=False, seconds=MINT_SECONDS, keep=keep)
    key_id: Any = answer.get("id")
    value: Any = answer.get("value")
    expires_at: Any = answer.get("expires_at")
    if not (isinstance(key_id, str) and isinstance(value, str) and value):
        raise OpenAIError("the mint", "the answer lacks id or value", maybe_applied=True, status=200)
    if not isinstance(expires_at, int):
        raise OpenAIError("the mint", "the key was made without an expiry", maybe_applied=True, status=200)
    return MintedAdminKey(key_id, SecretText(value), expires_at)
