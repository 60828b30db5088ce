"""The token endpoint, `POST /oauth/token`, which OpenAI has at auth.openai.com: a verified subject token for an access
token.

Owns the request's form and the order of refusals. OpenAI documents the categories of errors and two codes; other codes
are OAuth's (RFC 6749, 5.2), and statuses and texts are the cell's own. Leaves out certificates.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

import jwt

from local.openai import errors, keys
from local.openai.call import Answer, Call, Route, open_route
from local.openai.federation.matching import matching_rule
from local.openai.federation.records import FederationRule, IdentityProvider
from local.openai.federation.subject_tokens import key_id, verified
from local.openai.state import AccessToken, Minted, Organization

_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWTS: Final = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token")
_ISSUED: Final = "urn:ietf:params:oauth:token-type:access_token"
_REQUIRED: Final = ("grant_type", "subject_token_type", "subject_token", "identity_provider_id", "service_account_id")
_IGNORED: Final = ("scope",)
"""May be there, and grants nothing."""
LONGEST_SECONDS: Final = 3600


def _prepare(call: Call) -> None:
    """Finds the issuer's key, which may need its network. A request that is wrong is refused later."""
    try:
        fields = _fields(call)
        _, provider = _provider(call, fields["identity_provider_id"])
        call.prepared = call.emulator.key_sources.key(provider, key_id(fields["subject_token"]), call.now)
    except errors.ApiError:
        return


def _exchange(call: Call) -> Answer:
    fields = _fields(call)
    call.organization, provider = _provider(call, fields["identity_provider_id"])
    if not provider.enabled:
        raise errors.invalid_grant("the workload identity provider is disabled")
    claims = verified(fields["subject_token"], call.prepared, provider, call.now)
    rule = matching_rule(provider, fields["service_account_id"], claims)
    seconds = min(LONGEST_SECONDS, int(claims["exp"] - call.now))
    if seconds < 1:
        raise errors.subject_token("it has expired")
    told: dict[str, Any] = {
        "access_token": _minted(call, rule, seconds),
        "issued_token_type": _ISSUED,
        "token_type": "Bearer",
        "expires_in": seconds,
    }
    if rule.scopes is not None:
        told["scope"] = " ".join(rule.scopes)
    return Answer(told, headers={"cache-control": "no-store"})


def _minted(call: Call, rule: FederationRule, seconds: int) -> str:
    organization = call.organization
    project = organization.projects.get(rule.project_id)
    account = project.service_accounts.get(rule.service_account_id) if project else None
    if project is None or account is None or project.archived_at is not None:
        raise errors.invalid_grant("the mapping's service account or project is not there any more")
    stated = {"iss": "https://auth.openai.com", "sub": account.id, "iat": call.at, "exp": call.at + seconds}
    value = jwt.encode({**stated, "jti": secrets.token_hex(16)}, secrets.token_bytes(32), "HS256")
    token = AccessToken(
        id=keys.make_id("wif_"),
        name=rule.name or rule.id,
        project_id=project.id,
        owner=account,
        digest=keys.digest(value),
        redacted_value="",
        created_at=call.at,
        scopes=rule.scopes or [],
        expires_at=call.at + seconds,
        accepted_from=call.now,
        rule_id=rule.id,
    )
    organization.drop_expired_tokens(call.now)
    organization.keys_by_digest[token.digest] = token
    call.emulator.ledger.entries.append(
        Minted(token.id, "access_token", value, token.name, project.id, account.id, call.at)
    )
    return value


def _provider(call: Call, identifier: str) -> tuple[Organization, IdentityProvider]:
    """A provider's id alone says whose organization is meant."""
    for organization in call.emulator.organizations:
        if identifier in organization.identity_providers:
            return organization, organization.identity_providers[identifier]
    raise errors.invalid_grant("there is no such workload identity provider")


def _fields(call: Call) -> dict[str, str]:
    """The request's fields, all there, texts, and no others."""
    given = dict[str, Any]()
    for name, value in _pairs(call):
        if name in given:
            raise errors.invalid_request(f"{name} occurs twice")
        given[name] = value
    for name in _REQUIRED:
        if not given.get(name):
            raise errors.invalid_request(f"{name} is missing")
        if not isinstance(given[name], str):
            raise errors.invalid_request(f"{name} is not a text")
    unknown = [name for name in given if name not in (*_REQUIRED, *_IGNORED)]
    if unknown:
        raise errors.invalid_request(f"{unknown[0]} is not accepted in this exchange")
    if given["grant_type"] != _GRANT:
        raise errors.oauth(400, "unsupported_grant_type", f"grant_type must be {_GRANT}")
    if given["subject_token_type"] not in _JWTS:
        raise errors.invalid_request(f"subject_token_type must be one of {', '.join(_JWTS)}")
    return given


def _pairs(call: Call) -> Iterator[tuple[str, Any]]:
    """JSON, as the SDKs send it, or a form, as RFC 8693 has it."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        yield from parse_qsl(call.raw.decode("utf-8", "replace"), keep_blank_values=True)
        return
    if kind != "application/json":
        raise errors.invalid_request("the body must be JSON or a form")
    try:
        pairs: Any = json.loads(call.raw, object_pairs_hook=_Pairs)
    except ValueError:
        raise errors.invalid_request("the body is not JSON") from None
    if not isinstance(pairs, _Pairs):
        raise errors.invalid_request("the body is not a JSON object")
    yield from pairs


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its repeated names."""


ROUTES: Final[list[Route]] = [open_route("POST", "/oauth/token", _exchange, prepare=_prepare)]
