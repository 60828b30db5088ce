"""Checks a customer's own key: its kind by its prefix, then real calls with the key itself.

Owns what a person is told. Leaves out the calls (`functions/shared/customer_key.py`) and storing (`customer_key.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from functions.rotation.proof import Proof
from functions.shared import customer_key
from functions.shared.customer_key import ADMIN_PREFIX, PREFIXES, Kind
from functions.shared.deadline import Deadline
from functions.shared.environment import SettingError, checked_base_url
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from myflux_keys.payload import SecretText
from ops.actions import pasted_key
from ops.errors import OperationError

CHECK_SECONDS: Final = 120.0

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
    if text.startswith(ADMIN_PREFIX):
        raise CustomerKeyError(
            "this is an admin key: it can make and revoke every key of the customer's organization, and cannot call "
            "models. It was not stored. Ask the customer to delete it, and to send the key of a service account."
        )
    if not text.startswith(tuple(PREFIXES)):
        raise CustomerKeyError("this is not an OpenAI key, which starts with `sk-`. Nothing was stored.")
    if (kind := customer_key.kind_of(key)) is None:
        raise CustomerKeyError(
            "the key is too short, or contains white space or non-ASCII characters: it was not copied correctly. "
            "Nothing was stored."
        )
    return kind


def check(key: SecretText, models: Sequence[str], base_url: str, deadline: Deadline) -> None:
    """Real calls with the key. `models` has the default model first. Raises CustomerKeyError."""
    try:
        http = OpenAIHTTP(checked_base_url(base_url), deadline)
    except SettingError as error:
        raise CustomerKeyError(f"a key is not sent to this address: {error}.") from None
    tried = customer_key.try_key(http, deadline, key, models)
    if tried.proof is not Proof.ACCEPTED:
        raise CustomerKeyError(_why_not(tried.proof, tried.model, tried.error))


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
