"""Rotation functions with a mistake in them. Each must turn a cell red, or the table would prove nothing.

Owns the mistakes, made inside the function's process (`worker.py`); they are those of rotators in the field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from functions.rotation import making, steps
from functions.rotation.making import KeyMaker
from functions.shared.openai_admin import AdminAPI, ProjectKeys


def _forget_lost_keys() -> None:
    """A repeat does not look for what the try before it made."""
    making.leftovers = lambda keys, key_name: []
    making.surplus = lambda valid, tenant, held: []


def _repeat_the_mint() -> None:
    """What an SDK's retries do to a POST that makes something new each time."""
    careful = AdminAPI.send

    def send(self: AdminAPI, *arguments: Any, **named: Any) -> dict[str, Any]:
        return careful(self, *arguments, **{**named, "repeatable": True})

    AdminAPI.send = send


def _revoke_the_old_key() -> None:
    """As soon as the new one is live: caches and calls in flight still hold the old one."""

    def expire(self: ProjectKeys, key_id: str, seconds: int) -> int | None:
        self.retire(key_id)

    ProjectKeys.expire = expire


def _let_the_old_key_live() -> None:
    steps.outdated = lambda keys, tenant, current, **previous: []


def _take_a_lost_answer_for_a_refusal() -> None:
    """Undoes a key whose storing was not confirmed, though the secret may hold it."""

    def store(self: KeyMaker, minted: making.MintedKey) -> str:
        payload = making.new_payload(self._environment, self._tenant, minted)
        self._store.put_pending(self._version, making.SecretText(payload.to_json()), self._rotation_token)
        return minted.id

    KeyMaker._store_key = store


MISTAKES: Final[dict[str, Callable[[], None]]] = {
    "forgets lost keys": _forget_lost_keys,
    "repeats the mint": _repeat_the_mint,
    "revokes the old key": _revoke_the_old_key,
    "lets the old key live": _let_the_old_key_live,
    "takes a lost answer for a refusal": _take_a_lost_answer_for_a_refusal,
}
