"""Whether OpenAI accepts a key, tested by a real call with the key itself.

Owns the call and how its answers are read. Leaves out what follows from a failed proof. `GET /models/{model}` costs
nothing. OpenAI may refuse a new key for some seconds, so a call that got 401 is repeated for a while.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final

from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import KEEP_SECONDS
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path, refuses_address
from myflux_keys.payload import SecretText

PATIENCE_SECONDS: Final = 45.0
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between tries; the last one repeats until PATIENCE_SECONDS or the invocation's time is over."""
CALL_SECONDS: Final = 10.0

_UNPAID: Final = frozenset(
    {
        "credit_balance_exhausted",
        "insufficient_quota",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
    }
)
_NOT_ABOUT_THE_KEY: Final = frozenset({"unsupported_country_region_territory"})


class Proof(Enum):
    """What one answer says about the key."""

    ACCEPTED = "accepted"
    RESTRICTED = "restricted"
    """Valid, but may not read the model: 403, or 401 that names missing scopes."""
    UNPAID = "unpaid"
    """Valid, but the budget is spent. It counts as proven: the old key has the same budget, so keeping it would help
    nobody and would make it valid for too long. The health check and OpenAI's alerts report the budget."""
    MODEL_UNREACHABLE = "model_unreachable"
    """Valid, but the project does not offer the tenant's default model. Proven, for the same reason."""
    REFUSED = "refused"
    """401: unknown, expired, revoked, or too new."""
    UNCLEAR = "unclear"
    """No answer, a busy or faulty server, or not OpenAI: it says nothing about the key."""

    @property
    def valid(self) -> bool:
        """Whether the key is valid, whatever it may do."""
        return self not in (Proof.REFUSED, Proof.UNCLEAR)


def judge(error: OpenAIError | None) -> Proof:
    """Reads one answer; None is success. `type` may be an older, less exact word for `code`, so both count."""
    if error is None:
        return Proof.ACCEPTED
    if not error.explained:
        return Proof.UNCLEAR
    if error.status in (401, 403) and (error.code == "missing_scope" or "missing scopes" in error.message.lower()):
        return Proof.RESTRICTED
    if error.status == 401:
        return Proof.UNCLEAR if refuses_address(error.message) else Proof.REFUSED
    if error.status in (403, 404) and error.code == "model_not_found":
        return Proof.MODEL_UNREACHABLE
    if error.status == 403:
        return Proof.UNCLEAR if error.code in _NOT_ABOUT_THE_KEY else Proof.RESTRICTED
    if error.status == 429 and (error.code in _UNPAID or error.type in _UNPAID):
        return Proof.UNPAID
    return Proof.UNCLEAR


class ProofFailed(Exception):
    """`proof` is REFUSED or UNCLEAR: what the last answer says about the key."""

    def __init__(self, key_id: str, proof: Proof, error: OpenAIError) -> None:
        super().__init__(f"key {key_id} is not proven ({proof.value}): {error}")
        self.proof = proof


def prove(http: OpenAIHTTP, deadline: Deadline, key_id: str, value: SecretText, model: str, *, keep: float) -> Proof:
    """Repeats until the key is accepted, for at most PATIENCE_SECONDS; leaves `keep` seconds of the invocation.

    Raises ProofFailed.
    """
    end = deadline.now() + PATIENCE_SECONDS
    tries = 0
    while True:
        error: OpenAIError | None = None
        try:
            http.send("GET", path("/models/{model}", model=model), value, seconds=CALL_SECONDS)
        except OpenAIError as caught:
            error = caught
        proof = judge(error)
        if error is None or proof.valid:
            return proof
        pause = max(_PAUSES[min(tries, len(_PAUSES) - 1)], error.retry_after or 0.0)
        tries += 1
        if deadline.now() + pause > end or not deadline.pause(pause, keep=keep):
            raise ProofFailed(key_id, proof, error)


def prove_logged(http: OpenAIHTTP, deadline: Deadline, key_id: str, value: SecretText, model: str) -> Proof:
    """`prove`, with a warning line for a key that is valid but not plainly accepted; leaves time to undo the mint."""
    proof = prove(http, deadline, key_id, value, model, keep=KEEP_SECONDS)
    if proof is not Proof.ACCEPTED:
        log.line("key.proof", level=logging.WARNING, key_id=key_id, proof=proof.value, model=model)
    return proof
