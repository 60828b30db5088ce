"""What STS checks of a web identity token by itself, before any trust policy: whose it is, for whom, and until when.

Owns the order and the words of refusals. AWS documents the codes; the words are from its answers in public reports,
where there are any.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html

By the machine's clock, as sessions are: the issuer does not follow the cell's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")
_TAGS: Final = "https://aws.amazon.com/tags"
_LEEWAY_SECONDS: Final = 300
"""For the issue time alone. AWS says that a token from the future is refused; a clock is never exact."""

_NO_KEY: Final = (
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


class Refused(Exception):
    """`code` is AWS's error code, `str()` its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Provider:
    """An OIDC provider of the account, as IAM keeps it."""

    arn: str
    url: str
    client_ids: tuple[str, ...]


@dataclass(frozen=True)
class Identity:
    """A verified token. `host` is the issuer without its scheme, as condition keys are named."""

    provider: Provider
    host: str
    subject: str
    audience: str
    keys: Mapping[str, str | list[str]]
    """The condition keys, e.g. ``token.actions.githubusercontent.com:sub``."""


def verify(
    token: str, provider_of: Callable[[str], Provider | None], key_set: Callable[[str], Any], now: float
) -> Identity:
    """`provider_of` finds the account's provider by its host; `key_set` fetches a host's key set, None if it cannot.

    Raises Refused.
    """
    try:
        header = jwt.get_unverified_header(token)
        unverified: Any = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise Refused("InvalidIdentityToken", _MALFORMED) from None
    missing = [name for name in _REQUIRED if not unverified.get(name)]
    if missing:
        raise Refused("InvalidIdentityToken", f"Missing a required claim: {missing[0]}")
    issuer = str(unverified["iss"])
    host = issuer.removeprefix("https://").rstrip("/")
    provider = provider_of(host) if issuer.startswith("https://") else None
    if provider is None or provider.url.rstrip("/") != issuer.rstrip("/"):
        raise Refused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    claims = _signed(token, header, key_set(host))
    _in_time(claims, now)
    audiences = _listed(claims["aud"])
    known = [one for one in audiences if one in provider.client_ids]
    if not known or not isinstance(claims["sub"], str):
        raise Refused("InvalidIdentityToken", "Incorrect token audience")
    if _TAGS in claims:
        raise Refused("InvalidIdentityToken", "The local cell does not take session tags from a token")
    keys: dict[str, str | list[str]] = {f"{host}:aud": audiences[0] if len(audiences) == 1 else audiences}
    keys |= {f"{host}:{name}": claims[name] for name in ("sub", "amr") if name in claims}
    return Identity(provider, host, claims["sub"], known[0], keys)


_MALFORMED: Final = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"


def _signed(token: str, header: Mapping[str, Any], key_set: Any) -> dict[str, Any]:
    """The claims, by the key that the header names. The algorithm must be one that AWS takes: never ``none``, and never
    one that would use the published key as a shared secret."""
    try:
        key = jwt.PyJWKSet.from_dict(key_set)[header["kid"]]
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
        raise Refused("InvalidIdentityToken", _NO_KEY) from None
    off = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
    try:
        return jwt.decode(token, key, algorithms=list(_ALGORITHMS), options=off)  # pyright: ignore[reportArgumentType]
    except jwt.InvalidTokenError:
        raise Refused("InvalidIdentityToken", "Provided Token is not signed by the identity provider") from None


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    try:
        expiry, issued, begin = (int(claims.get(name) or 0) for name in ("exp", "iat", "nbf"))
    except (TypeError, ValueError):
        raise Refused("InvalidIdentityToken", _MALFORMED) from None
    if expiry <= now:
        message = f"Token expired: current date/time {int(now)} must be before the expiration date/time {expiry}"
        raise Refused("ExpiredTokenException", message)
    if max(issued, begin) > now + _LEEWAY_SECONDS:
        raise Refused(
            "InvalidIdentityToken", "The ID Token is from the future: its issue time is after the current time"
        )


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
