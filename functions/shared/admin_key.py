"""The cell's OpenAI admin key, read from Secrets Manager when needed and kept in memory for some minutes.

So the four invocations of a rotation read it once. It is read again if OpenAI refuses it, since it is rotated too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from myflux_keys.names import store_admin_key
from myflux_keys.payload import SecretText

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

KEEP_SECONDS: Final = 300.0


class AdminKeyMissing(Exception):
    """The admin secret has no value, or its value is no key. The message never holds the value."""


class AdminKey:
    """The admin key of one cell. Needs only secretsmanager:GetSecretValue on the secret called `secret_name`."""

    def __init__(
        self, client: SecretsManagerClient, secret_name: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._name = secret_name
        self._monotonic = monotonic
        self._kept: SecretText | None = None
        self._kept_at = 0.0
        self._others: dict[str, AdminKey] = {}

    def at(self, secret_name: str) -> AdminKey:
        """The admin key in another secret, a customer's own, read and kept in the same way."""
        if secret_name not in self._others:
            self._others[secret_name] = AdminKey(self._client, secret_name, monotonic=self._monotonic)
        return self._others[secret_name]

    def get(self) -> SecretText:
        """Raises AdminKeyMissing, or botocore's ClientError if AWS refuses."""
        if self._kept is None or self._monotonic() - self._kept_at > KEEP_SECONDS:
            self._kept = self._fetch()
            self._kept_at = self._monotonic()
        return self._kept

    def after_refusal(self, refused: SecretText) -> SecretText | None:
        """The key that replaced the one OpenAI refused; None if the secret still holds the refused one."""
        self._kept = None
        key = self.get()
        return None if key == refused else key

    def _fetch(self) -> SecretText:
        store = store_admin_key(self._name)
        try:
            answer = self._client.get_secret_value(SecretId=self._name)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                raise AdminKeyMissing(f"{self._name} has no key yet: store one with `{store}`") from None
            raise
        text = answer.get("SecretString", "").strip()
        if not text.startswith("sk-") or not text.isascii() or not text.isprintable() or " " in text:
            raise AdminKeyMissing(
                f"{self._name} must hold the bare text of an OpenAI admin key (sk-admin-…), but holds something else: "
                f"store it again with `{store}`"
            )
        return SecretText(text)
