"""STS's GetWebIdentityToken, in the place of MiniStack's, whose tokens nobody can verify.

Owns the order of its refusals. IAM has allowed the call before (`local.aws.iam`). A token's times are the cell's
clock's, since OpenAI in the cell follows that one; a session ends by the machine's.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.responses import _account_from_sts_session, get_account_id, get_region
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

from local import clock
from local.aws.federation import settings
from local.aws.federation.accounts import Issuer, enabled
from local.aws.federation.claims import Principal, claims
from local.aws.federation.requests import OPERATION, Refused, read
from local.aws.iam.callers import identify
from local.aws.iam.patching import replace, require_shape
from local.aws.iam.request import CURRENT, ServiceRequest

_GLOBAL: Final = "sts.amazonaws.com"
_LARGEST_PAYLOAD: Final = 16_384
"""In bytes. AWS has a limit and does not say which; this one is the cell's own."""


def install(home: Path) -> None:
    require_shape("ministack.services.sts", "_error", "status, code, message, ns")
    require_shape("ministack.services.sts", "_xml", "status, root_tag, inner, ns")
    replace(
        "ministack.services.sts",
        "handle_request",
        "method, path, headers, body, query_params",
        lambda original: _answering(original, home),
    )


def _answering(original: Callable[..., Any], home: Path) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        request = CURRENT.get()
        if request is None or request.operation != OPERATION:
            return await original(method, path, headers, body, query_params)
        try:
            return _token(request, home)
        except Refused as refused:
            return sts_service._error(refused.status, refused.code, escape(str(refused)), ns="sts")

    return handle_request


def _token(request: ServiceRequest, home: Path) -> Any:
    if request.headers.get("host", "").partition(":")[0] == _GLOBAL:
        # AWS documents the rule and not the answer.
        raise Refused(400, "InvalidAction", f"{OPERATION} is not available on the STS global endpoint.")
    asked = read(request.parameters)
    issuer = enabled(get_account_id())
    if issuer is None:
        raise Refused(
            403,
            "OutboundWebIdentityFederationDisabledException",
            "Outbound web identity federation is not enabled for this account.",
        )
    caller = _caller()
    if caller.session_ends is not None and time.time() + asked.seconds > caller.session_ends:
        raise Refused(
            403,
            "SessionDurationEscalationException",
            "The requested token duration would extend the session beyond its original expiration time.",
        )
    said = claims(_by_the_cells_clock(caller), asked, issuer.url, clock.now(), settings.chosen(home))
    return _signed(issuer, said, asked.algorithm)


def _signed(issuer: Issuer, said: dict[str, Any], algorithm: str) -> Any:
    if len(json.dumps(said, separators=(",", ":")).encode()) > _LARGEST_PAYLOAD:
        raise Refused(
            400,
            "JWTPayloadSizeExceededException",
            "The requested token payload size exceeds the maximum allowed size. Reduce the number of request tags.",
        )
    ends = datetime.fromtimestamp(said["exp"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    inner = f"<WebIdentityToken>{issuer.keys.sign(said, algorithm)}</WebIdentityToken><Expiration>{ends}</Expiration>"
    return sts_service._xml(200, f"{OPERATION}Response", f"<{OPERATION}Result>{inner}</{OPERATION}Result>", ns="sts")


def _caller() -> Principal:
    """Whoever signed the request. Its session ends by the machine's clock."""
    key = iam_evaluator._verified_key.get()
    credential = iam_evaluator.resolve_credential(key, _account_from_sts_session(key) or get_account_id())
    assert not isinstance(credential, iam_evaluator.CredentialResolutionError), "IAM let only known callers through"
    caller = identify(credential).caller
    session = sts_service._sessions.get(key) or {}
    name = caller.arn.rpartition("/")[2] if caller.role_arn is None else caller.role_arn.rpartition("/")[2]
    store = iam_service._users if caller.role_arn is None else iam_service._roles
    entity: dict[str, Any] = store.get_scoped(caller.account, None, name) or {}
    return Principal(
        arn=caller.role_arn or caller.arn,
        account=caller.account,
        region=get_region(),
        tags=_as_mapping(entity.get("Tags")),
        session_tags=_as_mapping(session.get("SessionTags")),
        session_ends=session.get("Expiration"),
        source_identity=session.get("SourceIdentity"),
        function_arn=session.get("SourceFunctionArn"),
    )


def _by_the_cells_clock(caller: Principal) -> Principal:
    ends = caller.session_ends
    return caller if ends is None else dataclasses.replace(caller, session_ends=ends + clock.offset())


def _as_mapping(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}
