"""What KMS checks before it accepts a key policy: that it can be read, and that its author is not locked out.

https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html (BypassPolicyLockoutSafetyCheck)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id

from local.aws.iam.callers import identify
from local.aws.iam.decision import Policies, Request, ResourcePolicy, decide
from local.aws.iam.patching import replace
from local.aws.iam.policy import MalformedPolicy, Policy, parse

_KMS: Final = "ministack.services.kms"
_LOCKED_OUT: Final = "The new key policy will not allow you to update the key policy in the future."


def install() -> None:
    replace(_KMS, "_create_key", "data", _checked)
    replace(_KMS, "_put_key_policy", "data", _checked)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(data: dict[str, Any]) -> Any:
        problem = _problem(data)
        return error_response_json("MalformedPolicyDocumentException", problem, 400) if problem else original(data)

    return handler


def _problem(data: dict[str, Any]) -> str | None:
    if "Policy" not in data:
        return None
    try:
        policy = parse(data["Policy"])
    except MalformedPolicy as unreadable:
        return str(unreadable)
    if any((s.principals is None and s.not_principals is None) or s.resources is None for s in policy):
        return "Every statement of a key policy needs a Principal and a Resource."
    if data.get("BypassPolicyLockoutSafetyCheck") or _author_may_change(policy):
        return None
    return _LOCKED_OUT


def _author_may_change(policy: Policy) -> bool:
    key = iam_evaluator._verified_key.get()
    credential = iam_evaluator.resolve_credential(key, get_account_id())
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return False
    author = identify(credential)
    account = author.caller.account
    request = Request(
        "kms:PutKeyPolicy", f"arn:aws:kms:us-east-1:{account}:key/new", author.keys | {"kms:calleraccount": account}
    )
    return decide(
        author.caller,
        request,
        Policies(author.policy, author.boundary, author.session, ResourcePolicy(policy, account, required=True)),
    ).allowed
