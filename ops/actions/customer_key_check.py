"""Whether a customer's own key will do: its kind by its shape, then real calls with the key itself.

Owns the rules and the calls. Leaves out storing (`customer_key.py`). OpenAI has no question "what may this key do, and
is there money behind it": only calls tell. So each model is looked up, which costs nothing, and the default model is
asked for one answer of at most 16 tokens, which costs the customer a small part of a cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from functions.rotation.proof import Proof, judge
from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText
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
    "This key belongs to a person, and dies when that person leaves the customer's OpenAI organization or project. Ask "
    "the customer for the key of a service account (it begins with sk-svcacct-)."
)


class CustomerKeyError(OperationError):
    """The key is not kept. The message says why and what to do, and never holds the key."""


def kind_of(key: SecretText) -> Kind:
    """Raises CustomerKeyError for an admin key and for what is no key."""
    text = key.reveal()
    if not text:
        raise CustomerKeyError("nothing was given: type or pipe the key in. Nothing was stored.")
    if text.startswith(_ADMIN):
        raise CustomerKeyError(
            "this is an admin key: it can make and end every key of the customer's organization, and calls no model. "
            "It is not kept anywhere. Have the customer delete it, and ask for the key of a service account."
        )
    fitting: list[Kind] = [kind for prefix, kind in _PREFIXES.items() if text.startswith(prefix)]
    if not fitting:
        raise CustomerKeyError("this is not an OpenAI key: one starts with `sk-`. Nothing was stored.")
    if len(text) < _SHORTEST or not text.isascii() or not text.isprintable() or " " in text:
        raise CustomerKeyError(
            "the key is too short, or holds white space or characters outside ASCII: it was cut or copied wrongly. "
            "Nothing was stored."
        )
    return fitting[0]


def check(key: SecretText, models: Sequence[str], base_url: str, deadline: Deadline) -> None:
    """Real calls with the key. `models` has the default model first. Raises CustomerKeyError."""
    try:
        http = OpenAIHTTP(checked_base_url(base_url), deadline)
    except SettingError as error:
        raise CustomerKeyError(f"a key is not sent there: {error}.") from None
    for model in models:
        proof, error = _asked(http, deadline, key, "GET", path("/models/{model}", model=model))
        # A restricted key may be forbidden to look models up and allowed to call them: the call below decides.
        if proof not in (Proof.ACCEPTED, Proof.RESTRICTED):
            raise CustomerKeyError(_why_not(proof, model, error))
    body = {"model": models[0], "input": "Say yes.", "max_output_tokens": 16, "store": False}
    proof, error = _asked(http, deadline, key, "POST", "/responses", body)
    if proof is not Proof.ACCEPTED:
        raise CustomerKeyError(_why_not(proof, models[0], error))


def _asked(
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
    told = f" OpenAI says: {error.code or error.message}." if error else ""
    reasons = {
        Proof.REFUSED: "OpenAI refuses this key: it was revoked, has expired or was cut.",
        Proof.RESTRICTED: (
            "OpenAI knows this key and does not let it call models: it needs the permissions Model capabilities "
            "(Request) and Responses (Write), or all."
        ),
        Proof.UNPAID: (
            "OpenAI knows this key, and there is nothing left to spend behind it: the customer's balance is used up or "
            "a spend limit is reached. Have the customer put that right first."
        ),
        Proof.MODEL_UNREACHABLE: (
            f"the key's project does not offer the model {model}, which the tenant's file lists: have the customer "
            "allow it in the project, or change `models`."
        ),
    }
    unclear = "OpenAI could not be asked about this key: try again."
    return f"{reasons.get(proof, unclear)}{told} Nothing was stored."
