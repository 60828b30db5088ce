"""CloudTrail's userIdentity of the request's caller.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import _account_from_sts_session, get_account_id
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

ANONYMOUS: Final[dict[str, Any]] = {"type": "Unknown", "principalId": "", "accountId": "", "userName": ""}
"""A caller who is not authenticated: no credentials, unknown ones, or an invalid signature."""


def user_identity() -> dict[str, Any]:
    """The userIdentity of the caller whose signature was verified."""
    key = iam_evaluator._verified_key.get()
    credential = iam_evaluator.resolve_credential(key, _account_from_sts_session(key) or get_account_id())
    if isinstance(credential, iam_evaluator.CredentialResolutionError):
        return ANONYMOUS
    identity: dict[str, Any] = {
        "type": "IAMUser" if credential.principal_type == "User" else credential.principal_type,
        "principalId": credential.principal_id,
        "arn": credential.principal_arn,
        "accountId": credential.account_id,
        "accessKeyId": key,
    }
    if credential.principal_type == "User":
        identity["userName"] = credential.principal_name
    session = sts_service._sessions.get(key)
    if session is not None:
        created = datetime.fromtimestamp(session["IssuedAt"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        identity["sessionContext"] = {
            "attributes": {
                "creationDate": created,
                "mfaAuthenticated": str(session.get("SecondFactor") is True).lower(),
            },
            **_issuer(credential),
        }
    return identity


def _issuer(credential: Any) -> dict[str, Any]:
    if credential.principal_type != "AssumedRole":
        return {}
    name = iam_evaluator._role_name_from_assumed_arn(credential.principal_arn)
    role = iam_service._roles.get_scoped(credential.account_id, None, name) or {}
    return {
        "sessionIssuer": {
            "type": "Role",
            "principalId": role.get("RoleId", credential.principal_id.partition(":")[0]),
            "arn": role.get("Arn", f"arn:aws:iam::{credential.account_id}:role/{name}"),
            "accountId": credential.account_id,
            "userName": name,
        }
    }
