"""What OpenAI checks of the token that it is given, before any rule: signature, issuer, audience, claims and time.

A pure function of token, key, provider and time. There is no leeway: the issuers of the cell have its clock.
"""

from __future__ import annotations

from typing import Any, Final

import jwt

from local.openai import errors
from local.openai.federation.records import IdentityProvider

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_REQUIRED: Final = ("iss", "aud", "sub", "exp", "iat")


def key_id(token: str) -> str:
    """From the token's header. Raises errors.ApiError for a token that is none, or names no key or algorithm."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise errors.subject_token("it is not a JWT") from None
    if header.get("alg") not in _ALGORITHMS:
        raise errors.subject_token(f"its algorithm is {header.get('alg')!r}, not one of {', '.join(_ALGORITHMS)}")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        raise errors.subject_token("its header has no kid")
    return header["kid"]


def verified(token: str, key: jwt.PyJWK | None, provider: IdentityProvider, now: float) -> dict[str, Any]:
    """The claims. Raises errors.ApiError with code ``invalid_subject_token``."""
    kid = key_id(token)
    if key is None:
        raise errors.subject_token(f"no key of its issuer has the kid {kid!r}")
    off = {f"verify_{name}": False for name in ("exp", "iat", "nbf", "aud", "iss", "sub", "jti")}
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=list(_ALGORITHMS), options=off)  # pyright: ignore[reportArgumentType]
    except jwt.InvalidTokenError:
        raise errors.subject_token("its signature is not by its issuer's key") from None
    missing = [name for name in _REQUIRED if not claims.get(name)]
    if missing:
        raise errors.subject_token(f"it has no claim {missing[0]!r}")
    if str(claims["iss"]).rstrip("/") != provider.issuer.rstrip("/"):
        raise errors.subject_token("its issuer is not the provider's")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if provider.audience not in audiences:
        raise errors.subject_token("its audience is not the provider's")
    if not isinstance(claims["sub"], str):
        raise errors.subject_token("its subject is not a text")
    _in_time(claims, now)
    return claims


def _in_time(claims: dict[str, Any], now: float) -> None:
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if claims.get(name) is not None}
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise errors.subject_token(f"its {name} is not a time")
    if now >= times["exp"]:
        raise errors.subject_token("it has expired")
    if max(times["iat"], times.get("nbf", 0)) > now:
        raise errors.subject_token("it is from the future")
