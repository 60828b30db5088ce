"""Why OpenAI refused a call, from its answer: one cause for each remedy.

Owns how an answer is read. Leaves out who must act and what follows (`calls.py`). Since 2026 `code` names which money
is gone, while `type` stays the general `insufficient_quota`, and older answers have that as code too, so `code` decides
first: https://developers.openai.com/api/docs/guides/error-codes. OpenAI documents no code for a refused address
(401) and a service tier (400): their messages decide.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from functions.shared.federated_token import TokenRefused
from functions.shared.openai_http import OpenAIError, refuses_address


class Cause(Enum):
    OK = "ok"
    KEY_REFUSED = "key_refused"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a cause, not a token
    """AWS or OpenAI gives a federated tenant no token."""
    SCOPES_MISSING = "scopes_missing"
    BALANCE_GONE = "balance_gone"
    ORGANIZATION_SPEND_LIMIT = "organization_spend_limit"
    PROJECT_SPEND_LIMIT = "project_spend_limit"
    ORGANIZATION_USAGE_LIMIT = "organization_usage_limit"
    QUOTA_UNNAMED = "quota_unnamed"
    """Out of quota, and OpenAI did not say which."""
    RATE_LIMITED = "rate_limited"
    COUNTRY_REFUSED = "country_refused"
    ADDRESS_REFUSED = "address_refused"
    TIER_REFUSED = "tier_refused"
    MODEL_REFUSED = "model_refused"
    """403 or 404 for the model. Whether it is retired or not allowed shows only the list of models."""
    UNANSWERED = "unanswered"
    """No answer, a fault of the server, or not OpenAI's answer: it says nothing about tenant, key or money."""
    UNKNOWN = "unknown"
    """OpenAI's answer, but none of the above."""


_MONEY: Final = {
    "credit_balance_exhausted": Cause.BALANCE_GONE,
    "organization_spend_limit_exceeded": Cause.ORGANIZATION_SPEND_LIMIT,
    "project_spend_limit_exceeded": Cause.PROJECT_SPEND_LIMIT,
    "organization_usage_limit_exceeded": Cause.ORGANIZATION_USAGE_LIMIT,
}
_RATE: Final = frozenset({"rate_limit_exceeded", "slow_down"})


def cause(error: OpenAIError | None) -> Cause:
    """None is success."""
    if error is None:
        return Cause.OK
    if isinstance(error, TokenRefused):
        return Cause.TOKEN_REFUSED
    if not error.explained or error.status is None or error.status >= 500:
        return Cause.UNANSWERED
    if error.status == 429:
        return _too_many(error)
    words = error.message.lower()
    if error.status in (401, 403) and (error.code == "missing_scope" or "missing scopes" in words):
        return Cause.SCOPES_MISSING
    if error.status == 401:
        return Cause.ADDRESS_REFUSED if refuses_address(error.message) else Cause.KEY_REFUSED
    if error.status in (403, 404) and error.code == "model_not_found":
        return Cause.MODEL_REFUSED
    if error.code == "unsupported_country_region_territory":
        return Cause.COUNTRY_REFUSED
    if error.status == 400 and "service tier" in words:
        return Cause.TIER_REFUSED
    return Cause.UNKNOWN


def _too_many(error: OpenAIError) -> Cause:
    if error.code in _MONEY:
        return _MONEY[error.code]
    if "insufficient_quota" in (error.code, error.type):
        return Cause.QUOTA_UNNAMED
    if error.code in _RATE or error.type in ("requests", "tokens", "rate_limit_error"):
        return Cause.RATE_LIMITED
    return Cause.UNKNOWN
