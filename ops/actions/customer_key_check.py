"""Checks a customer's own key: its kind by its prefix, then real calls with the key itself.

Owns the rules and the calls. Leaves out storing (`customer_key.py`). OpenAI has no endpoint that returns a key's
permissions and balance: only calls show them. So each model is looked up, which costs nothing, and the default model
gives one answer of at most 16 tokens, which costs the customer a small part of a cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from functions.rotation.proof import Proof, judge
from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText
from ops.actions import pasted_key
from ops.errors import OperationError

Kind = Literal["service_account", "user", "legacy"]
"""Who owns a key. A legacy key belongs to a person too, in the person's default project."""

_ADMIN: Final = "sk-" + "admin-"
_PREFIXES: Final[dict[str, Kind]] = {"sk-" + "svcacct-": "service_account", "sk-" + "proj-": "user", "sk-": "legacy"}
"""OpenAI's documented prefixes; the first that fits decides."""
_SHORTEST: Final = 40
"""Characters. Legacy keys, the shortest there are, have 51."""
CHECK_SECONDS: Final = 120.0
_PAUSES: Final = (2.0, 5.0)
"""After an answer that says nothing about the key."""

PERSONS_KEY: Final = (
    "This key belongs to a person. It stops working when that person leaves the customer's OpenAI organization or "
    "project. Ask the customer for the key of a service account (it starts with sk-svcacct-)."
)


class CustomerKeyError(OperationError):
    """The key was not stored. The message says why and what to do, and never holds the key."""


def kind_of(key: SecretText) -> Kind:
    """Raises CustomerKeyError for an admin key, and for a text that is no key."""
    text = key.reveal()
    if not text:
        raise CustomerKeyError(
            "no key was given: paste it at the prompt, or pipe it to standard input. Nothing was stored."
        )
    if refused := pasted_key.refusal(text):
        raise CustomerKeyError(refused)
    if text.startswith(_ADMIN):
        raise CustomerKeyError(
            "this is an admin key: it can make and revoke every key of the customer's organization, and cannot call "
            "models. It was not stored. Ask the customer to delete it, and to send the key of a service account."
        )
    fitting: list[Kind] = [kind for prefix, kind in _PREFIXES.items() if text.startswith(prefix)]
    if not fitting:
        raise CustomerKeyError("this is not an OpenAI key, which starts with `sk-`. Nothing was stored.")
    if len(text) < _SHORTEST or not text.isascii() or not text.isprintable() or " " in text:
        raise CustomerKeyError(
            "the key is too short, or contains white space or non-ASCII characters: it was not copied correctly. "
            "Nothing was stored."
        )
    return fitting[0]


def check(key: SecretText, models: Sequence[str], base_url: str, deadline: Deadline) -> None:
    """Real calls with the key. `models` has the default model first. Raises CustomerKeyError."""
    try:
        http = OpenAIHTTP(checked_base_url(base_url), deadline)
    except SettingError as error:
        raise CustomerKeyError(f"a key is not sent to this address: {error}.") from None
    for model in models:
        proof, error = _call(http, deadline, key, "GET", path("/models/{model}", model=model))
        # A restricted key may be forbidden to look models up and allowed to call them: the call below decides.
        if proof not in (Proof.ACCEPTED, Proof.RESTRICTED):
            raise CustomerKeyError(_why_not(proof, model, error))
    body = {"model": models[0], "input": "Say yes.", "max_output_tokens": 16, "store": False}
    proof, error = _call(http, deadline, key, "POST", "/responses", body)
    if proof is not Proof.ACCEPTED:
        raise CustomerKeyError(_why_not(proof, models[0], error))


def _call(
    http: OpenAIHTTP,
    deadline: Deadline,
    key: SecretText,
    method: str,
    target: str,
    body: Mapping[str, object] | None = None,
) -> tuple[Proof, OpenAIError | None]:
    for pause in (*_PAUSES, None):
        try:
            http.send(method, target, key, body=body)
        except OpenAIError as error:
            proof = judge(error)
            if proof is Proof.UNCLEAR and pause is not None and deadline.pause(pause, keep=0):
                continue
            return proof, error
        return Proof.ACCEPTED, None
    raise AssertionError("the last pause is None")


def _why_not(proof: Proof, model: str, error: OpenAIError | None) -> str:
    answer = f" OpenAI's answer: {error.code or error.message}." if error else ""
    reasons = {
        Proof.REFUSED: "OpenAI refuses this key: it is revoked, expired or not complete.",
        Proof.RESTRICTED: (
            "this key may not call models: it needs the permissions Model capabilities (Request) and Responses "
            "(Write), or all permissions."
        ),
        Proof.UNPAID: (
            "this key cannot be used, because the customer's balance is empty or a spend limit is reached. Ask the "
            "customer to correct that first."
        ),
        Proof.MODEL_UNREACHABLE: (
            f"the key's project does not allow the model {model}, which the tenant's file lists: ask the customer to "
            "allow it in the project, or change `models`."
        ),
    }
    unclear = "this key could not be checked with OpenAI: try again."
    return f"{reasons.get(proof, unclear)}{answer} Nothing was stored."
