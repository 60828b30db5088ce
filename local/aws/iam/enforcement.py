"""Authorizes every call: the caller, the action, the resources, and whether all policies together allow it.

Owns the conversion of a request for `decision`, and of its verdict to MiniStack's answer. Leaves out signatures
(MiniStack's) and the rules (`decision`). Replaces MiniStack's evaluator, which has no variables, few condition keys and
no NotPrincipal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import AuthError, EvalResult
from ministack.core.responses import _account_from_sts_session, get_account_id, get_region

from local import clock
from local.aws.iam import denials, dependent_actions, second_factors
from local.aws.iam.callers import Identity, identify
from local.aws.iam.decision import Policies, Request, Verdict, decide, resource_denies
from local.aws.iam.decision import nearest_allow as nearest
from local.aws.iam.key_values import Values, text
from local.aws.iam.patching import replace
from local.aws.iam.principals import Caller
from local.aws.iam.request import CURRENT, ServiceRequest
from local.aws.iam.request_keys import request_keys
from local.aws.iam.resource_policies import resource_policy
from local.aws.iam.resources import resources

_EVALUATOR = "ministack.core.iam_evaluator"
_ACTIONS = "ministack.core.iam_actions"
_LAMBDA_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeAsync": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
}
_URL = "lambda:InvokeFunctionUrl"
_SERVED_ANONYMOUSLY = ("execute-api:Invoke", _URL)

_ANONYMOUS = Caller(kind="Anonymous", arn="anonymous", account="anonymous")


def install() -> None:
    replace(
        _EVALUATOR,
        "enforce",
        "access_key_id, iam_action, service, region, resource_arn, service_context",
        lambda _original: _enforce,
    )
    iam_actions._BOTOCORE_SERVICE_MAP.setdefault("lambda", ["lambda"])
    # MiniStack looks for tags by the name of the endpoint, which is not the model's.
    iam_actions._TAG_OPERATIONS["monitoring"] = iam_actions._tag_operations("cloudwatch")
    replace(_ACTIONS, "extract_iam_action", "service, method, path, headers, body, query_params", _named_action)
    denials.install()


def _named_action(original: Callable[..., Any]) -> Callable[..., Any]:
    """The action of a REST call by its route in AWS's own model, and never "none, so allowed"."""

    def extract_iam_action(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Any
    ) -> str | None:
        if service == "lambda":
            operation = iam_actions._match_rest_action(service, method, path, query_params)
            if operation:
                return f"lambda:{_LAMBDA_ACTIONS.get(operation, operation)}"
        found = original(service, method, path, headers, body, query_params)
        return found or (f"{service}:UnknownOperation" if service in _STRICT else None)

    return extract_iam_action


_STRICT = frozenset({"cloudtrail", "events", "iam", "kms", "lambda", "logs", "secretsmanager", "sns", "sqs", "sts"})


def _enforce(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> AuthError | EvalResult | None:
    """MiniStack's contract: None allows, AuthError is a failed authentication, EvalResult a denial."""
    account = get_account_id()
    failure = iam_evaluator._s3_scope_failure(service)
    if failure:
        return failure
    anonymous_served = service == "s3" or iam_action in _SERVED_ANONYMOUSLY
    unsigned = not access_key_id and iam_evaluator._signed_request.get() is None
    if (
        iam_evaluator._anonymous.get()
        and not anonymous_served
        and not iam_evaluator._served_unsigned(service, iam_action)
    ):
        message = iam_actions.anonymous_denial_message(service, iam_action, resource_arn)
        return AuthError("MissingAuthenticationToken", message)
    if unsigned and iam_evaluator._served_unsigned(service, iam_action):
        return None
    if unsigned and anonymous_served:
        return _enforce_unsigned(iam_action, service, resource_arn, _lower(service_context))
    credential = iam_evaluator.authenticate(access_key_id, account)
    if isinstance(credential, AuthError):
        return credential
    if credential is None:
        credential = iam_evaluator.resolve_credential(
            access_key_id, _account_from_sts_session(access_key_id) or account
        )
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return AuthError(credential.code, credential.message)
    if iam_action in iam_evaluator._ALWAYS_ALLOWED_ACTIONS:
        return None

    identity = identify(credential)
    request = CURRENT.get()
    own = _of_request(request, service)
    failed = second_factors.refused(own, identity.caller) if own else None
    if failed:
        return AuthError("AccessDenied", failed)
    context = _lower(service_context)
    arns = resources(own, iam_action, resource_arn, region, account) if own else [resource_arn]
    for arn in arns:
        denied = judge(identity, iam_action, arn, request=own, extra=context)
        if denied:
            return denied
    return _implied(identity, own, iam_action, arns[0], context) if own else None


def _implied(
    identity: Identity, request: ServiceRequest, action: str, resource: str, context: Values
) -> EvalResult | None:
    """None, or the denial of a further action that the request needs."""
    tags = {name: value for name, value in context.items() if name.startswith(("aws:requesttag/", "aws:tagkeys"))}
    service = action.partition(":")[0]
    for needed in dependent_actions.actions(request, action, resource, tags):
        denials_of_each = [
            judge(
                identity,
                one,
                needed.resource,
                request=request if one.partition(":")[0] == service else None,
                extra=_lower(needed.keys),
            )
            for one in needed.actions
        ]
        if all(denials_of_each):
            # The last is the one that the answer's text is kept for (`denials.LAST`).
            return denials_of_each[-1]
    return None


def judge(
    identity: Identity, action: str, resource: str, *, request: ServiceRequest | None, extra: Values
) -> EvalResult | None:
    """None, or the denial of one action on one resource with AWS's text as its reason."""
    service = action.split(":", 1)[0]
    account = identity.caller.account
    keys = {**_environment_keys(resource, account), **request_keys(request, action, resource, account)}
    keys |= {**identity.keys, **extra}
    policies = Policies(
        identity.policy, identity.boundary, identity.session, resource_policy(service, action, resource)
    )
    verdict = decide(identity.caller, Request(action, resource, keys), policies)
    return None if verdict.allowed else _denial(identity.caller.arn, action, resource, request, verdict)


def _denial(principal: str, action: str, resource: str, request: ServiceRequest | None, verdict: Verdict) -> EvalResult:
    reason = denials.message(principal, action, denials.named_resource(request, resource), verdict)
    denials.LAST.set((principal, reason))
    return EvalResult(
        "Deny" if verdict.explicit else "ImplicitDeny",
        principal_arn=principal,
        reason=reason,
        resource_policy_arn=resource if verdict.layer == "resource-based policy" else "",
    )


def _enforce_unsigned(action: str, service: str, resource: str, context: Values) -> EvalResult | None:
    """A function's URL needs two grants since October 2025. A URL that does not exist is not found.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    if action == _URL and resource != "*":
        invoked: Values = {"lambda:invokedviafunctionurl": "true"}
        return _enforce_anonymous(_URL, service, resource, context) or _enforce_anonymous(
            "lambda:InvokeFunction", service, resource, invoked
        )
    return _enforce_anonymous(action, service, resource, context) if service == "s3" else None


def _enforce_anonymous(action: str, service: str, resource: str, context: Values) -> EvalResult | None:
    """An unsigned call needs a resource policy that allows everybody."""
    found = resource_policy(service, action, resource)
    asked = Request(action, resource, {**_environment_keys(resource, ""), **context})
    if found and nearest(found.policy, _ANONYMOUS, asked) and not resource_denies(found.policy, _ANONYMOUS, asked):
        return None
    return _denial("anonymous", action, resource, None, Verdict(False, layer="resource-based policy"))


def _of_request(request: ServiceRequest | None, service: str) -> ServiceRequest | None:
    """The request, if the check is about its own service and not about a dependent action."""
    return request if request is not None and request.service == service else None


def _environment_keys(resource: str, account: str) -> Values:
    now = datetime.fromtimestamp(clock.now(), UTC)
    source_ip, secure = iam_evaluator._request_origin.get()
    owner = resource.split(":")[4] if resource.count(":") >= 5 else ""
    headers = denials.current_headers()
    keys: Values = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:requestedregion": get_region(),
        "aws:resourceaccount": owner or account,
        "aws:securetransport": str(secure).lower(),
        "aws:sourceip": source_ip,
        "aws:viaawsservice": "false",
    }
    for key, header in (("aws:useragent", "user-agent"), ("aws:referer", "referer")):
        if headers.get(header):
            keys[key] = headers[header]
    return keys


def _lower(context: dict[str, Any] | None) -> Values:
    """An empty list or an absent value is an absent key."""
    keys: Values = {}
    for name, value in (context or {}).items():
        found = tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else text(value)
        if found is not None and found != ():
            keys[name.lower()] = found
    return keys
