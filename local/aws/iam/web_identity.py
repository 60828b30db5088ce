"""AssumeRoleWithWebIdentity as AWS does it: the token is verified by its issuer's published keys, then the role's trust
policy is asked with the token's condition keys.

MiniStack reads the token's claims and checks neither signature, provider nor time. Leaves out the checks of the token
(`web_identity_tokens`). The issuer's keys come from where the cell says that its host answers (`local/addresses.py`).
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

from local import addresses
from local.aws.iam.patching import replace, require_shape
from local.aws.iam.request import CURRENT, ServiceRequest
from local.aws.iam.sessions import duration_problem
from local.aws.iam.web_identity_tokens import Identity, Provider, Refused, verify

LAST: ContextVar[dict[str, Any] | None] = ContextVar("myflux_web_identity", default=None)
"""CloudTrail's userIdentity of the request's token, once it was verified."""

_IDENTITY: ContextVar[Identity | None] = ContextVar("myflux_verified_token", default=None)
_OPERATION: Final = "AssumeRoleWithWebIdentity"
_SECONDS: Final = 5.0
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def install(home: Path) -> None:
    require_shape("ministack.services.sts", "_error", "status, code, message, ns")
    replace(
        "ministack.services.sts",
        "handle_request",
        "method, path, headers, body, query_params",
        lambda original: _verified(original, home),
    )
    replace(
        "ministack.services.sts", "_web_identity_trust_denied", "role_arn, params, use_json", lambda _: _trust_denied
    )


def _verified(original: Callable[..., Any], home: Path) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        LAST.set(None)
        request = CURRENT.get()
        if request is None or request.operation != _OPERATION:
            return await original(method, path, headers, body, query_params)
        try:
            # In a thread: the issuer's server may be asking this one.
            identity = await asyncio.to_thread(_identity, request, home)
        except Refused as refused:
            return sts_service._error(400, refused.code, escape(str(refused)), ns="sts")
        LAST.set(_of_the_trail(identity))
        problem = duration_problem(request, None)
        if problem:
            return sts_service._error(400, "ValidationError", problem, ns="sts")
        verified = _IDENTITY.set(identity)
        try:
            status, answered, text = await original(method, path, headers, body, query_params)
        finally:
            _IDENTITY.reset(verified)
        return status, answered, _completed(text, identity) if status == 200 else text

    return handle_request


def _identity(request: ServiceRequest, home: Path) -> Identity:
    token = str(request.parameters.get("WebIdentityToken", ""))
    role = str(request.parameters.get("RoleArn", "")).split(":")
    partition, account = (role[1], role[4]) if len(role) == 6 else ("aws", "")

    def provider_of(host: str) -> Provider | None:
        arn = f"arn:{partition}:iam::{account}:oidc-provider/{host}"
        kept = iam_service._oidc_providers.get(arn)
        return Provider(arn, kept["Url"], tuple(kept["ClientIDList"])) if kept else None

    return verify(token, provider_of, lambda host: _key_set(home, host), time.time())


def _key_set(home: Path, host: str) -> Any:
    """By discovery, as AWS does; None if there is none. Not kept: an issuer changes its keys."""
    configuration = _fetched(home, f"https://{host}/.well-known/openid-configuration")
    if not isinstance(configuration, dict) or configuration.get("issuer") != f"https://{host}":
        return None
    return _fetched(home, str(configuration.get("jwks_uri", "")))


def _fetched(home: Path, url: str) -> Any:
    parts = urlsplit(url)
    base = addresses.find(home, parts.netloc) if parts.scheme == "https" else None
    if base is None:
        return None
    try:
        with _DIRECT.open(base + parts.path, timeout=_SECONDS) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None


def _trust_denied(role_arn: str, params: dict[str, Any], use_json: bool) -> Any:
    """In the place of MiniStack's check: None, or the refusal. The query protocol is the only one (`request`)."""
    del use_json
    identity = _IDENTITY.get()
    if identity is not None and _trusted(role_arn, str(sts_service._p(params, "RoleSessionName")), identity):
        return None
    return sts_service._error(403, "AccessDenied", f"Not authorized to perform sts:{_OPERATION}", ns="sts")


def _trusted(arn: str, session: str, identity: Identity) -> bool:
    """A role that is not there is refused as one that does not trust."""
    account = identity.provider.arn.split(":")[4]
    role = iam_service._roles.get_scoped(account, None, arn.rpartition("/")[2])
    if role is None or role.get("Arn") != arn:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=identity.provider.arn,
        principal_type="WebIdentityUser",
        principal_account=account,
        action=f"sts:{_OPERATION}",
        resource_arn=arn,
        region=get_region(),
        service_context={**identity.keys, "sts:RoleSessionName": session},
    )
    return iam_evaluator.evaluate_trust_policy(
        role.get("AssumeRolePolicyDocument", "{}"), identity.provider.arn, context
    )


def _completed(body: Any, identity: Identity) -> Any:
    """MiniStack's answer names a subject, an audience and a provider that are always the same."""
    text = body.decode() if isinstance(body, bytes) else body
    for tag, value in (
        ("SubjectFromWebIdentityToken", identity.subject),
        ("Audience", identity.audience),
        ("Provider", identity.provider.arn),
    ):
        text = re.sub(f"<{tag}>[^<]*</{tag}>", lambda _, t=tag, v=value: f"<{t}>{escape(v)}</{t}>", text)
    return text.encode() if isinstance(body, bytes) else text


def _of_the_trail(identity: Identity) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""
    return {
        "type": "WebIdentityUser",
        "principalId": f"{identity.provider.arn}:{identity.audience}:{identity.subject}",
        "userName": identity.subject,
        "identityProvider": identity.provider.arn,
    }
