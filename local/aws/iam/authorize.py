"""Whether the caller of the current request, or a service, may do a further action."""

from __future__ import annotations

from collections.abc import Mapping

from ministack.core import iam_evaluator
from ministack.core.responses import get_region

from local.aws.iam.decision import Request, nearest_allow, resource_denies
from local.aws.iam.principals import Caller
from local.aws.iam.resource_policies import resource_policy


class AccessDenied(Exception):
    """The call is denied. `str()` is AWS's text; `code` is the error code of JSON services."""

    code = "AccessDeniedException"

    def __init__(self, message: str, *, principal_arn: str, action: str, resource_arn: str, explicit: bool) -> None:
        super().__init__(message)
        self.message = message
        self.principal_arn = principal_arn
        self.action = action
        self.resource_arn = resource_arn
        self.explicit = explicit


def authorize(
    action: str, resource_arn: str, *, extra: Mapping[str, str | list[str]] | None = None, via: str | None = None
) -> None:
    """Returns when the current request's caller may do `action` on `resource_arn`, else raises AccessDenied.

    `extra` holds condition keys in AWS's spelling, e.g. ``{"kms:EncryptionContext:SecretARN": arn}``. `via` names the
    service that acts for the caller, e.g. ``"secretsmanager"``: it fills kms:ViaService, aws:ViaAWSService and
    aws:CalledVia. Identity, session, boundary and resource (key) policies all count, as for a direct call.
    Raises LookupError outside a request, since there is no caller.
    """
    access_key = iam_evaluator._verified_key.get()
    if not access_key:
        raise LookupError(f"{action} cannot be authorized outside an authenticated request: there is no caller")
    keys = {**(extra or {})}
    context = {name.partition(":")[2].partition(":")[2]: n for name in keys if (n := name).lower().startswith(_CONTEXT)}
    if context:
        keys.setdefault("kms:EncryptionContextKeys", list(context))
    if via is not None:
        principal = f"{via}.amazonaws.com"
        keys |= {
            "kms:ViaService": f"{via}.{get_region()}.amazonaws.com",
            "aws:ViaAWSService": "true",
            "aws:CalledVia": [principal],
            "aws:CalledViaFirst": principal,
            "aws:CalledViaLast": principal,
        }
    denied = iam_evaluator.enforce(access_key, action, action.partition(":")[0], get_region(), resource_arn, keys)
    if denied is None:
        return
    if isinstance(denied, iam_evaluator.AuthError):
        raise LookupError(f"{action} cannot be authorized: the caller's credentials are not valid: {denied.code}")
    raise AccessDenied(
        denied.reason,
        principal_arn=denied.principal_arn,
        action=action,
        resource_arn=resource_arn,
        explicit=denied.decision == "Deny",
    )


_CONTEXT = "kms:encryptioncontext:"


def authorize_service(service: str, action: str, resource_arn: str, *, extra: Mapping[str, str] | None = None) -> bool:
    """Whether the resource's policy allows a service, e.g. ``"secretsmanager.amazonaws.com"`` on a function.

    `extra` holds the service's condition keys: ``aws:SourceArn`` and ``aws:SourceAccount``.
    """
    found = resource_policy(action.partition(":")[0], action, resource_arn)
    if found is None:
        return False
    caller = Caller(kind="Service", arn=service, account=service)
    keys = {"aws:principalisawsservice": "true", "aws:principalservicename": service}
    request = Request(action, resource_arn, keys | {name.lower(): value for name, value in (extra or {}).items()})
    return bool(nearest_allow(found.policy, caller, request)) and not resource_denies(found.policy, caller, request)
