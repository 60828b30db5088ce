"""What KMS checks before it accepts a key policy: that it can be read, that its principals exist, that its author is
not locked out, and its size.

https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html (BypassPolicyLockoutSafetyCheck,
LimitExceededException)
https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html (key policy document size)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import kms as kms_service

from local.aws.iam import principal_ids
from local.aws.iam.callers import identify
from local.aws.iam.decision import Policies, Request, ResourcePolicy, decide
from local.aws.iam.key_values import Values
from local.aws.iam.patching import replace
from local.aws.iam.policy import MalformedPolicy, Policy, parse
from local.aws.iam.request_keys import resource_tag_keys

_KMS: Final = "ministack.services.kms"
_MOST: Final = 32_768
_INVALID_PRINCIPAL: Final = "Policy contains a statement with one or more invalid principals."
_LOCKED_OUT: Final = "The new key policy will not allow you to update the key policy in the future."


def install() -> None:
    replace(_KMS, "_create_key", "data", _checked)
    replace(_KMS, "_put_key_policy", "data", _checked)
    replace(_KMS, "_get_key_policy", "data", _shown)


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(data: dict[str, Any]) -> Any:
        if "Policy" not in data:
            return original(data)
        if len(data["Policy"].encode()) > _MOST:
            return error_response_json(
                "LimitExceededException", f"The key policy exceeds the quota of {_MOST} bytes.", 400
            )
        try:
            stored = data | {"Policy": principal_ids.bound(data["Policy"])}
        except principal_ids.InvalidPrincipal:
            return error_response_json("MalformedPolicyDocumentException", _INVALID_PRINCIPAL, 400)
        except ValueError:
            stored = data
        problem = _problem(stored)
        return error_response_json("MalformedPolicyDocumentException", problem, 400) if problem else original(stored)

    return handler


def _shown(original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(data: dict[str, Any]) -> Any:
        answer = original(data)
        if answer[0] != 200:
            return answer
        held: dict[str, Any] = json.loads(answer[2])
        return json_response(held | {"Policy": principal_ids.shown(held["Policy"])})

    return handler


def _problem(data: dict[str, Any]) -> str | None:
    try:
        policy = parse(data["Policy"])
    except MalformedPolicy as unreadable:
        return str(unreadable)
    if any((s.principals is None and s.not_principals is None) or s.resources is None for s in policy):
        return "Every statement of a key policy needs a Principal and a Resource."
    if data.get("BypassPolicyLockoutSafetyCheck") or _author_may_change(policy, data):
        return None
    return _LOCKED_OUT


def _author_may_change(policy: Policy, data: dict[str, Any]) -> bool:
    """Whether the author may change the key's policy once it is stored. A new key has the tags that it is made with."""
    key = iam_evaluator._verified_key.get()
    credential = iam_evaluator.resolve_credential(key, get_account_id())
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return False
    author = identify(credential)
    account = author.caller.account
    record = kms_service._resolve_key(data["KeyId"]) if data.get("KeyId") else None
    arn = record["Arn"] if record else ""
    tags: Values = {f"aws:resourcetag/{tag['TagKey']}".lower(): tag["TagValue"] for tag in data.get("Tags") or ()}
    held = resource_tag_keys("kms", arn) if arn else tags
    request = Request(
        "kms:PutKeyPolicy",
        arn or f"arn:aws:kms:us-east-1:{account}:key/new",
        author.keys | held | {"kms:calleraccount": account},
    )
    return decide(
        author.caller,
        request,
        Policies(author.policy, author.boundary, author.session, ResourcePolicy(policy, account, required=True)),
    ).allowed
