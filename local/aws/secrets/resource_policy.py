"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, ValidateResourcePolicy.

Owns the operations. Leaves out grammar (`policy_document`), whether it is public (`public_access`) and evaluation.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ValidateResourcePolicy.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.iam import principal_ids
from local.aws.iam.authorize import AccessDenied, authorize
from local.aws.secrets import policy_document, public_access
from local.aws.secrets.policy_document import MalformedPolicy
from local.aws.secrets.refusals import Refusal
from local.aws.secrets.store import LOCK, Record, find_live, find_writable, touch

Request = dict[str, Any]
Answer = dict[str, Any]


def put_resource_policy(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        text: str = request["ResourcePolicy"]
        try:
            statements = policy_document.parse(text)
        except MalformedPolicy as refused:
            raise Refusal("MalformedPolicyDocumentException", str(refused)) from None
        if request.get("BlockPublicPolicy") and public_access.is_public(statements):
            raise Refusal(
                "PublicPolicyException",
                "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access "
                "to the secret.",
            )
        stored = policy_document.stored(text)
        ministack._resource_policies[secret["ARN"]] = stored
        ministack._sync_replica_resource_policy(secret, stored)
        touch(secret)
        return _named(secret)


def get_resource_policy(request: Request) -> Answer:
    secret = find_live(request["SecretId"])
    text: str | None = ministack._resource_policies.get(secret["ARN"])
    return _named(secret) | ({} if text is None else {"ResourcePolicy": principal_ids.shown(text)})


def delete_resource_policy(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        ministack._resource_policies.pop(secret["ARN"], None)
        ministack._delete_replica_resource_policies(secret)
        touch(secret)
        return _named(secret)


def validate_resource_policy(request: Request) -> Answer:
    """AWS's three checks: syntax, broad access, and whether the caller would lose the right to change the policy."""
    errors: list[dict[str, str]] = []
    try:
        statements = policy_document.parse(request["ResourcePolicy"])
    except MalformedPolicy as refused:
        errors.append({"CheckName": "PolicySyntax", "ErrorMessage": str(refused)})
    else:
        if public_access.is_public(statements):
            errors.append({"CheckName": "PublicAccess", "ErrorMessage": "The resource policy grants broad access."})
        if request.get("SecretId") and _locks_out(
            find_live(request["SecretId"]), policy_document.stored(request["ResourcePolicy"])
        ):
            message = "The resource policy would deny the caller PutResourcePolicy on the secret."
            errors.append({"CheckName": "CallerLockout", "ErrorMessage": message})
    return {"PolicyValidationPassed": not errors, "ValidationErrors": errors}


def _locks_out(secret: Record, text: str) -> bool:
    """Whether the caller may change the policy now, and could not if this policy were in force."""
    with LOCK:
        held = ministack._resource_policies.get(secret["ARN"])
        if _denied(secret):
            return False
        ministack._resource_policies[secret["ARN"]] = text
        try:
            return _denied(secret)
        finally:
            if held is None:
                del ministack._resource_policies[secret["ARN"]]
            else:
                ministack._resource_policies[secret["ARN"]] = held


def _denied(secret: Record) -> bool:
    try:
        authorize("secretsmanager:PutResourcePolicy", secret["ARN"])
    except AccessDenied:
        return True
    return False


def _named(secret: Record) -> Answer:
    return {"ARN": secret["ARN"], "Name": secret["Name"]}
