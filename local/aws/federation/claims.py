"""What a token says: the standard claims, and AWS's own below ``https://sts.amazonaws.com/``.

A pure function. Leaves out the claims of EC2, Glue and Identity Center, which the cell has not, and `ou_path`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from local.aws.federation.requests import Asked
from local.aws.federation.settings import Settings

NAMESPACE: Final = "https://sts.amazonaws.com/"


@dataclass(frozen=True)
class Principal:
    """The caller. `arn` is a session's role, not the session. Tags by key, in the case they were given."""

    arn: str
    account: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    session_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    session_ends: float | None = None
    """Seconds since the epoch; None for a user."""
    source_identity: str | None = None
    function_arn: str | None = None


def claims(principal: Principal, asked: Asked, issuer: str, now: float, settings: Settings) -> dict[str, Any]:
    at = int(now)
    ends = principal.session_ends
    own: dict[str, Any] = {
        "aws_account": principal.account,
        "source_region": principal.region,
        "org_id": settings.organization_id,
        "principal_tags": _principal_tags(principal, settings),
        "original_session_exp": None if ends is None else _text(ends),
        "source_identity": principal.source_identity,
        "lambda_source_function_arn": principal.function_arn,
        "request_tags": dict(asked.tags),
    }
    return {
        "iss": issuer,
        # One audience is a text, several are a list, as in any JWT.
        "aud": asked.audiences[0] if len(asked.audiences) == 1 else list(asked.audiences),
        "sub": principal.arn,
        "iat": at,
        "exp": at + asked.seconds,
        "jti": str(uuid.uuid4()),
        NAMESPACE: {name: value for name, value in own.items() if value},
    }


def _principal_tags(principal: Principal, settings: Settings) -> dict[str, str]:
    """A session's tag hides the role's of the same key, whatever the case."""
    if settings.principal_tags == "role alone" or not principal.session_tags:
        return dict(principal.tags)
    hidden = {key.lower() for key in principal.session_tags}
    kept = {} if settings.principal_tags == "session alone" else principal.tags
    return {key: value for key, value in kept.items() if key.lower() not in hidden} | dict(principal.session_tags)


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
