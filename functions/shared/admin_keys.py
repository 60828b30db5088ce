"""An organization's admin keys as OpenAI lists them, and which of them is the cell's own.

OpenAI shows an admin key's value once, when it is made, and later only its beginning and end; it never says which key
a caller used. So our own is found by the name that our rotation gave it, or by the redacted value. If more than one
key matches, none is chosen: a wrong guess could delete the wrong key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared.openai_admin import AdminAPI
from functions.shared.redacted_value import shows
from myflux_keys.payload import SecretText

PATH: Final = "/organization/admin_api_keys"
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class AdminKeyRecord:
    """An admin key in OpenAI's list. Times are Unix seconds by OpenAI's clock; no `expires_at`: no expiry."""

    id: str
    name: str
    redacted_value: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None

    def shows(self, value: SecretText) -> bool:
        """Whether `value` has this key's beginning and end."""
        return shows(self.redacted_value, value)

    def days_left(self, now: float) -> float | None:
        """Days until it expires, negative afterwards; None for a key without expiry. `now` in Unix seconds."""
        return None if self.expires_at is None else (self.expires_at - now) / DAY_SECONDS


def list_admin_keys(api: AdminAPI) -> list[AdminKeyRecord]:
    """All admin keys of the organization. Raises OpenAIError."""
    return [_record(item) for item in api.pages(PATH)]


def own_key(records: Iterable[AdminKeyRecord], value: SecretText, name: str | None = None) -> AdminKeyRecord | None:
    """The record of the key with this value; `name` is the one that a rotation would have given it.

    None if no record matches, or more than one.
    """
    known = list(records)
    for fitting in ([r for r in known if name is not None and r.name == name], [r for r in known if r.shows(value)]):
        if len(fitting) == 1:
            return fitting[0]
    return None


def _record(item: Mapping[str, Any]) -> AdminKeyRecord:
    return AdminKeyRecord(
        id=str(item["id"]),
        name=str(item.get("name") or ""),
        redacted_value=str(item.get("redacted_value") or ""),
        created_at=int(item["created_at"]),
        expires_at=_seconds(item.get("expires_at")),
        last_used_at=_seconds(item.get("last_used_at")),
    )


def _seconds(value: Any) -> int | None:
    return None if value is None else int(value)
