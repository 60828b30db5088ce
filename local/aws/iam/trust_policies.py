"""What IAM checks before it accepts a role's trust policy, and how it shows one.

Owns CreateRole and UpdateAssumeRolePolicy, and every answer that has a trust policy. Leaves out its size
(`policy_sizes`) and what it allows (`decision`).
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html (MalformedPolicyDocument)
https://repost.aws/knowledge-center/iam-principal-policy (Invalid principal in policy)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final
from xml.sax.saxutils import escape

from ministack.services import iam as iam_service

from local.aws.iam import principal_ids
from local.aws.iam.patching import replace, replace_operation
from local.aws.iam.policy import listed

_IAM: Final = "ministack.services.iam"
_TRUST: Final = "AssumeRolePolicyDocument"


def install() -> None:
    replace_operation("CreateRole", lambda original: _checked(original, _TRUST, exists=False))
    replace_operation("UpdateAssumeRolePolicy", lambda original: _checked(original, "PolicyDocument", exists=True))
    replace_operation("GetAccountAuthorizationDetails", _details)
    replace(_IAM, "_role_xml", "name, boundary", _role_xml)
    # AssumeRole checks by ARN once more what `enforcement` has decided by id.
    replace(
        "ministack.core.iam_evaluator",
        "evaluate_trust_policy",
        "trust_doc, caller_arn, ctx",
        lambda original: lambda trust_doc, caller_arn, ctx=None: original(_text(trust_doc), caller_arn, ctx),
    )


def _checked(original: Callable[..., Any], field: str, *, exists: bool) -> Callable[..., Any]:
    def handler(p: dict[str, Any]) -> Any:
        if (iam_service._p(p, "RoleName") in iam_service._roles) != exists:
            return original(p)
        text = iam_service._p(p, field)
        problem = _problem(text)
        if problem is None:
            try:
                return original({**p, field: [principal_ids.bound(text)]})
            except principal_ids.InvalidPrincipal as invalid:
                problem = f"Invalid principal in policy: {invalid}"
        return iam_service._error(400, "MalformedPolicyDocument", escape(problem), ns="iam")

    return handler


def _problem(text: str) -> str | None:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return "This policy contains invalid Json"
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in listed(statements):
        if not isinstance(statement, dict):
            return "Syntax errors in policy."
        if "Resource" in statement or "NotResource" in statement:
            return "Has prohibited field Resource"
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return "Missing required field Principal"
        if not all(str(one).lower().startswith("sts:") for one in listed(statement.get("Action", []))):
            return "AssumeRole policy may only specify STS AssumeRole actions."
    return None


def _role_xml(original: Callable[..., str]) -> Callable[..., str]:
    def _role_xml(name: str, boundary: bool = True) -> str:
        with _readable([iam_service._roles[name]]):
            return original(name, boundary)

    return _role_xml


def _details(original: Callable[..., Any]) -> Callable[..., Any]:
    def handler(p: dict[str, Any]) -> Any:
        with _readable(list(iam_service._roles.values())):
            return original(p)

    return handler


@contextmanager
def _readable(roles: Iterable[dict[str, Any]]) -> Generator[None]:
    """MiniStack writes its answers from the record: it holds the policy as shown while one is written."""
    held = [(role, role.get(_TRUST)) for role in roles]
    for role, stored in held:
        role[_TRUST] = _text(stored)
    try:
        yield
    finally:
        for role, stored in held:
            role[_TRUST] = stored


def _text(stored: Any) -> Any:
    return principal_ids.shown(stored) if isinstance(stored, str) and stored else stored
