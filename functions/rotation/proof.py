"""Whether OpenAI accepts a key, shown by a real call with the key itself.

Owns the call and how its answers are read. Leaves out what follows from a failed proof. `GET /models/{model}` costs
nothing. A new key may be refused for seconds until every part of OpenAI knows it, so a 401 is asked again for a while.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final

from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import KEEP_SECONDS
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText

PATIENCE_SECONDS: Final = 45.0
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between tries; the last one repeats until patience or the invocation's time runs out."""
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
    """Alive, and not allowed to look at the model: 403, or 401 that names missing scopes."""
    UNPAID = "unpaid"
    """Alive, and nothing left to spend. It counts as proven: the old key draws on the same budget, so keeping that one
    would help nobody and would leave it in use past its time. The health check and OpenAI's alerts tell about money."""
    MODEL_UNREACHABLE = "model_unreachable"
    """Alive, and the project does not offer the tenant's default model. Proven, for the same reason."""
    REFUSED = "refused"
    """401: unknown, dead, or too new."""
    UNCLEAR = "unclear"
    """No answer, a busy or faulty server, or something that is not OpenAI: says nothing about the key."""

    @property
    def alive(self) -> bool:
        """Whether OpenAI knows the key, whatever it lets it do."""
        return self not in (Proof.REFUSED, Proof.UNCLEAR)


def judge(error: OpenAIError | None) -> Proof:
    """Reads one answer; None is success. `type` may be an older, coarser word for what `code` says, so both count."""
    if error is None:
        return Proof.ACCEPTED
    if not error.explained:
        return Proof.UNCLEAR
    if error.status in (401, 403) and (error.code == "missing_scope" or "missing scopes" in error.message.lower()):
        return Proof.RESTRICTED
    if error.status == 401:
        return Proof.REFUSED
    if error.status in (403, 404) and error.code == "model_not_found":
        return Proof.MODEL_UNREACHABLE
    if error.status == 403:
        return Proof.UNCLEAR if error.code in _NOT_ABOUT_THE_KEY else Proof.RESTRICTED
    if error.status == 429 and (error.code in _UNPAID or error.type in _UNPAID):
        return Proof.UNPAID
    return Proof.UNCLEAR


class ProofFailed(Exception):
    """The key was not shown to work. `proof` is REFUSED or UNCLEAR: what the last answer said."""

    def __init__(self, key_id: str, proof: Proof, error: OpenAIError) -> None:
        super().__init__(f"key {key_id} is not proven ({proof.value}): {error}")
        self.proof = proof


def prove(http: OpenAIHTTP, deadline: Deadline, key_id: str, value: SecretText, model: str, *, keep: float) -> Proof:
    """Asks until the key is accepted, for PATIENCE_SECONDS at most, leaving `keep` seconds of the invocation.

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
        if error is None or proof.alive:
            return proof
        pause = max(_PAUSES[min(tries, len(_PAUSES) - 1)], error.retry_after or 0.0)
        tries += 1
        if deadline.now() + pause > end or not deadline.pause(pause, keep=keep):
            raise ProofFailed(key_id, proof, error)


def prove_logged(http: OpenAIHTTP, deadline: Deadline, key_id: str, value: SecretText, model: str) -> Proof:
    """`prove`, with a warning line for a key that is alive and not plainly accepted, and time kept for undoing."""
    proof = prove(http, deadline, key_id, value, model, keep=KEEP_SECONDS)
    if proof is not Proof.ACCEPTED:
        log.line("key.proof", level=logging.WARNING, key_id=key_id, proof=proof.value, model=model)
    return proof
