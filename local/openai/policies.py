"""The organization's policies for keys: longest lifetime, only service accounts, no new keys.

OpenAI documents that such policies exist and that new keys must comply; it does not document the wording of its errors.
"""

from __future__ import annotations

from local.openai import errors
from local.openai.settings import Settings

LONGEST_EXPIRY = 31_536_000
"""Seconds, 365 days: the API's own limit on `expires_in_seconds`."""


def check_new_key(settings: Settings, expires_in_seconds: int | None, *, user_owned: bool) -> None:
    if settings.forbid_new_keys:
        raise errors.policy("Your organization does not allow new API keys to be created.")
    if user_owned and settings.only_service_account_keys:
        raise errors.policy("Your organization allows API keys owned by service accounts only.")
    check_expiry(settings, expires_in_seconds)


def check_expiry(settings: Settings, expires_in_seconds: int | None) -> None:
    longest = settings.max_key_lifetime_seconds
    if longest is None:
        return
    if expires_in_seconds is None:
        raise errors.policy(
            f"Your organization requires API keys to expire within {longest} seconds. Set expires_in_seconds.",
            "expires_in_seconds",
        )
    if expires_in_seconds > longest:
        raise errors.policy(
            f"Your organization requires API keys to expire within {longest} seconds, but got {expires_in_seconds}.",
            "expires_in_seconds",
        )
