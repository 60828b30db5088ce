"""One tenant's own answers: the free list of models, and a billed call if it is due.

Owns reading the live key, and using it or a token. The key is read just before the calls, and only the live one is
used: their times in OpenAI's `last_used_at` fall within the time that a rotation leaves to readers, so they never make
a replaced key look used. A tenant with an identity is asked with a token, as its runtime does: then its key, if it
still has one, is not used, so that its use shows who else does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from functions.health.facts import ABSENT, Listing, Probe
from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.federated_token import FederatedTokens
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from functions.shared.secrets_manager import SecretStore
from functions.sweep.tenants import TenantSecret
from myflux_keys.identity import TenantIdentity
from myflux_keys.payload import CUSTOMER, Payload, PayloadError, SecretText
from myflux_keys.version_labels import CURRENT

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

LIST_SECONDS: Final = 10.0
CALL_SECONDS: Final = 30.0
TOKENS: Final = 16
"""The fewest output tokens that OpenAI takes. An answer that is cut off there is a healthy one."""
_OF_SERVICE_ACCOUNTS: Final = "sk-" + "svcacct-"


@dataclass(frozen=True)
class Held:
    """The live version of a tenant's secret. Times in Unix seconds; None where its payload has none."""

    key: SecretText
    expires_at: float | None
    owned_by_person: bool
    version: str | None = None
    minted_at: float | None = None


@dataclass(frozen=True)
class Answers:
    """`calls`: how many were sent. `server_time`: OpenAI's clock."""

    listing: Listing
    probe: Probe | None
    calls: int
    server_time: float | None


def read_key(client: SecretsManagerClient, secret: TenantSecret) -> Held | None:
    """None: no key yet, or a value that is not ours. Raises botocore's errors."""
    version = secret.state.version_with(CURRENT)
    stored = None if version is None else SecretStore(client, secret.arn).value(version)
    if stored is None:
        return None
    try:
        payload = Payload.from_json(stored.reveal())
    except PayloadError as error:
        log.line("health.unreadable", level=logging.WARNING, tenant=secret.tenant, error=str(error))
        return None
    person = payload.source == CUSTOMER and not payload.api_key.reveal().startswith(_OF_SERVICE_ACCOUNTS)
    return Held(payload.api_key, _seconds(payload.expires_at), person, version, _seconds(payload.minted_at))


def _seconds(iso: str) -> float | None:
    return datetime.fromisoformat(iso).timestamp() if iso else None


def ask(base_url: str, deadline: Deadline, key: SecretText, model: str | None) -> Answers:
    """`key`, or a token; `model` None: no billed call. Never raises OpenAIError: it is the answer."""
    http = OpenAIHTTP(base_url, deadline)
    listing = _list(http, key)
    # What refuses the list refuses the call, except a missing scope.
    usable = listing.error is None or "missing scopes" in listing.error.message.lower()
    probe = None if model is None or not usable else Probe(model, _call(http, key, model))
    return Answers(listing, probe, http.calls, http.server_time)


def ask_with_token(
    base_url: str, deadline: Deadline, tokens: FederatedTokens, identity: TenantIdentity, model: str | None
) -> Answers:
    """As `ask`. A token that is refused is the answer too. Raises botocore's errors."""
    try:
        token = tokens.token(identity, deadline)
    except OpenAIError as error:
        return Answers(Listing(error), None, 0, None)
    return ask(base_url, deadline, token, model)


def _list(http: OpenAIHTTP, key: SecretText) -> Listing:
    try:
        answer = http.send("GET", "/models", key, seconds=LIST_SECONDS)
    except OpenAIError as error:
        return Listing(error)
    data: Any = answer.get("data")
    if not isinstance(data, list):
        return Listing(OpenAIError("GET /models", "the answer has no `data`", maybe_applied=False, status=200))
    items = cast("list[Mapping[str, Any]]", data)
    return Listing(models={str(item["id"]): _date(item) for item in items if "id" in item})


def _date(item: Mapping[str, Any]) -> str | None:
    sent: Any = item.get("shutdown_date", ABSENT)
    return None if sent is None else str(sent)


def _call(http: OpenAIHTTP, key: SecretText, model: str) -> OpenAIError | None:
    embeds = model.startswith("text-embedding-")
    target = "/embeddings" if embeds else "/responses"
    body: dict[str, Any] = {"model": model, "input": "ping"}
    if not embeds:
        body |= {"max_output_tokens": TOKENS, "store": False}
    try:
        http.send("POST", target, key, body=body, seconds=CALL_SECONDS)
    except OpenAIError as error:
        return error
    return None
