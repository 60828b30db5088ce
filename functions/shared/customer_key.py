"""A customer's own key: whose it is by its prefix, whether it works by real calls, and the payload it becomes.

Owns what command, page and promoter must see alike. Leaves out what a person is told, and storing. OpenAI has no
endpoint that returns a key's permissions and balance: only calls show them. So each model is looked up, which costs
nothing, and the default model gives one answer of at most 16 tokens, which costs the customer a small part of a cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from functions.rotation.proof import Proof, judge
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import CUSTOMER, Payload, SecretText

Kind = Literal["service_account", "user", "legacy"]
"""Who owns a key. A legacy key belongs to a person too, in the person's default project."""

ADMIN_PREFIX: Final = "sk-" + "admin-"
PREFIXES: Final[Mapping[str, Kind]] = {
    "sk-" + "svcacct-": "service_account",
    "sk-" + "proj-": "user",
    "sk-": "legacy",
}
"""OpenAI's documented prefixes; the first that fits decides."""
SHORTEST: Final = 40
"""Characters. Legacy keys, the shortest there are, have 51."""
PAUSES: Final = (2.0, 5.0)
"""Seconds, after an answer that says nothing about the key."""


@dataclass(frozen=True)
class Tried:
    """What the calls showed. `model` is the one that `error`, OpenAI's answer, is about; the key works if `proof` is
    ACCEPTED. `organization` is the name by which OpenAI's answers call the key's organization; None if they do not. A
    key has one: answers that name two say nothing about whose it is, so the proof is UNCLEAR."""

    proof: Proof
    model: str
    error: OpenAIError | None
    organization: str | None


def kind_of(key: SecretText) -> Kind | None:
    """None for an admin key, and for a text that cannot be a key."""
    text = key.reveal()
    if text.startswith(ADMIN_PREFIX) or not is_whole(key):
        return None
    return next((kind for prefix, kind in PREFIXES.items() if text.startswith(prefix)), None)


def is_whole(key: SecretText) -> bool:
    """Whether a key is long enough, and has only characters that a key has."""
    text = key.reveal()
    return len(text) >= SHORTEST and text.isascii() and text.isprintable() and " " not in text


def try_key(http: OpenAIHTTP, deadline: Deadline, key: SecretText, models: Sequence[str]) -> Tried:
    """`models` has the default model first."""
    http.named_organizations.clear()
    for model in models:
        proof, error = _call(http, deadline, key, "GET", path("/models/{model}", model=model))
        # A restricted key may be forbidden to look models up and allowed to call them: the call below decides.
        if proof not in (Proof.ACCEPTED, Proof.RESTRICTED):
            return Tried(proof, model, error, None)
    body = {"model": models[0], "input": "Say yes.", "max_output_tokens": 16, "store": False}
    proof, error = _call(http, deadline, key, "POST", "/responses", body)
    if proof is not Proof.ACCEPTED:
        return Tried(proof, models[0], error, None)
    if len(http.named_organizations) > 1:
        return Tried(Proof.UNCLEAR, models[0], None, None)
    return Tried(proof, models[0], None, next(iter(http.named_organizations), None))


def payload(tenant: str, key: SecretText, *, base_url: str, models: Sequence[str], stored_at: str) -> Payload:
    """`stored_at` is ISO 8601 in UTC. What the key does not show stays empty: the organization's name in OpenAI's
    answers is not the id that a reader would have to send."""
    return Payload(
        tenant=tenant,
        api_key=key,
        key_id="",
        project_id="",
        service_account_id="",
        organization_id="",
        base_url=base_url,
        models=tuple(models),
        minted_at=stored_at,
        expires_at="",
        source=CUSTOMER,
    )


def _call(
    http: OpenAIHTTP,
    deadline: Deadline,
    key: SecretText,
    method: str,
    target: str,
    body: Mapping[str, Any] | None = None,
) -> tuple[Proof, OpenAIError | None]:
    for pause in (*PAUSES, None):
        try:
            http.send(method, target, key, body=body)
        except OpenAIError as error:
            proof = judge(error)
            if proof is Proof.UNCLEAR and pause is not None and deadline.pause(pause, keep=0):
                continue
            return proof, error
        return Proof.ACCEPTED, None
    raise AssertionError("the last pause is None")
