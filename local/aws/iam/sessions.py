"""What AWS checks of AssumeRole beyond the right to do it: how long, and with which tags.

Owns MaxSessionDuration, the hour of role chaining, transitive tags and the source identity. Leaves out who may assume
(`enforcement`, `resource_policies`). A session begins by the cell's clock, and expires by the machine's, since the SDKs
renew it by the machine's. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from ministack.core.router import extract_access_key_id
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

from local import clock
from local.aws.iam import second_factors
from local.aws.iam.patching import replace, require_shape
from local.aws.iam.request import CURRENT, ServiceRequest

_SHORTEST: Final = 900
_DEFAULT: Final = 3600
_CHAINED: Final = 3600


def install() -> None:
    require_shape("ministack.services.sts", "_error", "status, code, message, ns")
    replace("ministack.services.sts", "handle_request", "method, path, headers, body, query_params", _checked)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        request = CURRENT.get()
        if request is None or request.operation != "AssumeRole":
            return await original(method, path, headers, body, query_params)
        calling = sts_service._sessions.get(extract_access_key_id(headers, query_params))
        problem = duration_problem(request, calling) or _tag_problem(request, calling)
        if problem:
            return sts_service._error(400, "ValidationError", problem, ns="sts")
        answer = await original(method, path, headers, body, query_params)
        if answer[0] == 200:
            _complete(answer[2], request, calling)
        return answer

    return handle_request


def duration_problem(request: ServiceRequest, calling: dict[str, Any] | None) -> str | None:
    text = str(request.parameters.get("DurationSeconds") or _DEFAULT)
    if not text.isdigit() or int(text) < _SHORTEST:
        return (
            f"1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: "
            f"Member must have value greater than or equal to {_SHORTEST}"
        )
    role = iam_service._roles.get(str(request.parameters.get("RoleArn", "")).rpartition("/")[2]) or {}
    if calling is not None and calling.get("PrincipalType") == "AssumedRole" and int(text) > _CHAINED:
        return "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    if int(text) > int(role.get("MaxSessionDuration") or _DEFAULT):
        return "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return None


def _tag_problem(request: ServiceRequest, calling: dict[str, Any] | None) -> str | None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html"""
    names = {v.lower() for k, v in request.parameters.items() if re.fullmatch(r"Tags\.member\.\d+\.Key", k)}
    if any(key.lower() not in names for key in _transitive(request)):
        return "The specified transitive tag key must be included in the requested tags."
    if any(tag["Key"].lower() in names for tag in _inherited(calling)):
        return (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session."
        )
    return None


def _transitive(request: ServiceRequest) -> list[str]:
    return [v for k, v in sorted(request.parameters.items()) if k.startswith("TransitiveTagKeys.member.")]


def _inherited(calling: dict[str, Any] | None) -> list[dict[str, str]]:
    keys = set((calling or {}).get("TransitiveTagKeys") or ())
    return [tag for tag in (calling or {}).get("SessionTags") or [] if tag["Key"].lower() in keys]


def _complete(body: Any, request: ServiceRequest, calling: dict[str, Any] | None) -> None:
    """Gives the new session what MiniStack doesn't keep: inherited tags, the second factor, and the source identity,
    which is set once."""
    text = body.decode() if isinstance(body, bytes) else body
    found = re.search(r"(ASIA[A-Z0-9]+)", text)
    if found is None:
        return
    session = sts_service._sessions[found[1]]
    session["IssuedAt"] = clock.now()
    inherited = _inherited(calling)
    session["SessionTags"] = [*inherited, *(session.get("SessionTags") or [])]
    session["TransitiveTagKeys"] = sorted(
        {k.lower() for k in _transitive(request)} | {t["Key"].lower() for t in inherited}
    )
    session["SecondFactor"] = second_factors.was_given(request)
    session["SourceIdentity"] = (calling or {}).get("SourceIdentity") or request.parameters.get("SourceIdentity")
