"""The caller of an access key, with the caller's policies and condition keys.

Owns the conversion of MiniStack's users, roles and sessions to `decision`'s types. Leaves out whether the key and its
signature are valid: MiniStack checks those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam as iam_service
from ministack.services import sts as sts_service

from local.aws.iam.policy import Policy, parse
from local.aws.iam.principals import Caller


@dataclass(frozen=True)
class Identity:
    caller: Caller
    policy: Policy
    boundary: Policy | None
    session: Policy | None
    keys: dict[str, str | tuple[str, ...]]
    """By lower-case condition key."""


def identify(credential: Any) -> Identity:
    """`credential` is MiniStack's ResolvedCredential of an authenticated key."""
    session = sts_service._sessions.get(credential.access_key_id)
    name = _entity_name(credential, session)
    of_role = credential.principal_type == "AssumedRole"
    store = iam_service._roles if of_role else iam_service._users
    entity: dict[str, Any] = store.get_scoped(credential.account_id, None, name) or {}
    unique_id: str | None = entity.get("RoleId" if of_role else "UserId")
    session_of: str = credential.principal_id.partition(":")[0]
    if session_of != unique_id and session_of.startswith(("AIDA", "AROA")):
        # Another user or role of the same name, made after the caller's own was deleted.
        entity, unique_id = {}, None
    caller = Caller(
        kind=credential.principal_type,
        arn=credential.principal_arn,
        account=credential.account_id,
        role_arn=entity.get("Arn") or _role_arn(credential) if of_role else None,
        unique_id=unique_id,
    )
    documents = _role_documents(entity) if of_role else _user_documents(entity, name)
    boundary = entity.get("PermissionsBoundary")
    return Identity(
        caller=caller,
        policy=_joined(_resolved(documents, credential.account_id)),
        boundary=_joined(_resolved([boundary], credential.account_id)) if boundary else None,
        session=_session_policy(session, credential.account_id),
        keys=_keys(credential, caller, entity, session),
    )


def _entity_name(credential: Any, session: dict[str, Any] | None) -> str:
    if credential.principal_type == "AssumedRole":
        return iam_evaluator._role_name_from_assumed_arn(credential.principal_arn)
    return credential.principal_name or (session or {}).get("PrincipalName") or ""


def _role_arn(credential: Any) -> str:
    """For a deleted role too: its sessions remain, without a policy that allows anything."""
    name = iam_evaluator._role_name_from_assumed_arn(credential.principal_arn)
    return f"arn:aws:iam::{credential.account_id}:role/{name}"


def _role_documents(role: dict[str, Any]) -> list[Any]:
    return [*(role.get("InlinePolicies") or {}).values(), *role.get("AttachedPolicies", [])]


def _user_documents(user: dict[str, Any], name: str) -> list[Any]:
    if not user:
        return []
    found = [*(iam_service._user_inline_policies.get(name) or {}).values(), *user.get("AttachedPolicies", [])]
    for group_name, group in iam_service._groups.items():
        if name in group.get("Users", []):
            found += (iam_service._group_inline_policies.get(group_name) or {}).values()
            found += group.get("AttachedPolicies", [])
    return found


def _resolved(documents: Iterable[Any], account: str) -> Iterable[Any]:
    """A managed policy is known by its ARN, an inline one by its text."""
    for document in documents:
        if isinstance(document, str) and document.startswith("arn:"):
            yield iam_evaluator._resolve_managed_policy_document(document, account)
        else:
            yield document


def _joined(documents: Iterable[Any]) -> Policy:
    return tuple(statement for document in documents for statement in parse(document))


def _session_policy(session: dict[str, Any] | None, account: str) -> Policy | None:
    passed = (session or {}).get("SessionPolicies")
    if passed is None:
        return None
    return _joined(_resolved([passed.get("Policy"), *passed.get("PolicyArns", [])], account))


def _keys(
    credential: Any, caller: Caller, entity: dict[str, Any], session: dict[str, Any] | None
) -> dict[str, str | tuple[str, ...]]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    keys: dict[str, str | tuple[str, ...]] = {
        # A session is its role: aws:PrincipalArn holds the role's ARN, never the session's.
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
        "aws:principaltype": caller.kind,
        "aws:principalisawsservice": "false",
        "aws:userid": credential.principal_id,
    }
    if caller.kind == "User":
        keys["aws:username"] = credential.principal_name
    # A session's tag hides the role's tag of the same key, whatever the case.
    for tag in [*(entity.get("Tags") or []), *((session or {}).get("SessionTags") or [])]:
        keys[f"aws:principaltag/{tag['Key']}".lower()] = tag["Value"]
    if session is None:
        return keys
    keys["aws:multifactorauthpresent"] = str(session.get("SecondFactor") is True).lower()
    keys["aws:tokenissuetime"] = datetime.fromtimestamp(session["IssuedAt"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key, field in (("aws:sourceidentity", "SourceIdentity"), ("lambda:sourcefunctionarn", "SourceFunctionArn")):
        if session.get(field):
            keys[key] = session[field]
    return keys
