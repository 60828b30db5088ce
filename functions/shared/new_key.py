"""A new key after a failure: whether the secret holds it, and its revocation if not.

A lost answer is no refusal: the secret may hold the key. So the secret is read, and if it cannot be read, the key is
left for the next try, which finds it by its name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from functions.shared import log
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import RotationError
from functions.shared.secrets_manager import SecretStore
from myflux_keys.payload import SecretText


class HolderUnknown(RotationError):
    """It is unknown whether the secret holds the key, so the key must not be revoked."""


def value_after_failed_put(store: SecretStore, version_id: str, failure: Exception) -> SecretText | None:
    """What the version holds after storing failed with `failure`; None for nothing. Raises HolderUnknown."""
    try:
        return store.value(version_id)
    except Exception as unknown:  # noqa: BLE001 - raised again, as what it means here
        text = f"{log.failure_text(failure)}; whether it was stored is unknown: {log.failure_text(unknown)}"
        raise HolderUnknown(text) from None


def undo(key_id: str, cause: Exception, end: Callable[[str], Mapping[str, str]]) -> None:
    """Revokes the key by `end`, which raises OpenAIError and returns fields for the log; not if `cause` is
    HolderUnknown."""
    if isinstance(cause, HolderUnknown):
        log.line("key.left_for_retry", level=logging.WARNING, key_id=key_id, error=str(cause))
        return
    try:
        fields = end(key_id)
    except OpenAIError as failure:
        # The next try finds it by its name; at the latest it expires.
        log.line("key.left_behind", level=logging.ERROR, key_id=key_id, error=str(failure))
    else:
        log.line("key.undone", level=logging.WARNING, key_id=key_id, **fields, error=log.failure_text(cause))
