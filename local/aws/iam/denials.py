"""AWS's text for a denied call.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from local.aws.iam.decision import IDENTITY, Verdict
from local.aws.iam.patching import replace
from local.aws.iam.request import CURRENT, ServiceRequest

LAST: ContextVar[tuple[str, str] | None] = ContextVar("myflux_last_denial", default=None)
"""The principal's ARN and the text of the denial that the request met."""

_IN_AN = {IDENTITY: "an"}


def message(principal_arn: str, action: str, resource: str, verdict: Verdict) -> str:
    """`resource` is what the text names: an ARN, a name as the caller gave it, or ``*`` for none."""
    if action.startswith("sts:"):
        # STS gives no reason, so that its answer does not show which roles exist.
        return f"User: {principal_arn} is not authorized to perform: {action} on resource: {resource}"
    on = "" if resource == "*" else f" on resource: {resource}"
    if verdict.explicit:
        why = f"with an explicit deny in {_IN_AN.get(verdict.layer, 'a')} {verdict.layer}"
    else:
        why = f"because no {verdict.layer} allows the {action} action"
    return f"User: {principal_arn} is not authorized to perform: {action}{on} {why}"


def named_resource(request: ServiceRequest | None, resource: str) -> str:
    """Secrets Manager names the secret as the caller did; others name the ARN."""
    if request is not None and request.service == "secretsmanager":
        return str(request.parameters.get("SecretId") or resource)
    return resource


def install() -> None:
    replace(
        "ministack.core.iam_actions",
        "access_denied_response",
        "service, action, principal_arn, request_id, error_code, message, headers, resource_arn, explicit_deny, "
        "resource_policy_arn",
        _with_text,
    )


def _with_text(original: Callable[..., Any]) -> Callable[..., Any]:
    def access_denied_response(service: str, action: str, principal_arn: str, request_id: str, **rest: Any) -> Any:
        denial = LAST.get()
        if rest.get("error_code") or denial is None or denial[0] != principal_arn:
            return original(service, action, principal_arn, request_id, **rest)
        return response(service, action, principal_arn, request_id, denial[1], rest.get("headers") or {}, original)

    return access_denied_response


def response(
    service: str,
    action: str,
    principal_arn: str,
    request_id: str,
    text: str,
    headers: dict[str, str],
    wrap: Callable[..., Any],
) -> Any:
    """JSON services with a target answer 400; the others keep MiniStack's envelope."""
    if headers.get("x-amz-target") and service != "sqs":
        body = {"__type": "AccessDeniedException", "Message": text, "message": text}
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()
    return wrap(service, action, principal_arn, request_id, message=text, headers=headers)


def current_headers() -> dict[str, str]:
    request = CURRENT.get()
    return request.headers if request else {}
