"""IAM's limits on the size of policies: LimitExceeded.

"IAM does not count white space when calculating the size of a policy against these limits."
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
The texts are those that AWS's users report, e.g. https://github.com/aws/aws-cdk/issues/12403.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ministack.services import iam as iam_service

from local.aws.iam.patching import replace_operation

TRUST: Final = 2_048
MANAGED: Final = 6_144
INLINE: Final = {"user": 2_048, "group": 5_120, "role": 10_240}
"""All inline policies of one user, group or role together."""


def install() -> None:
    for operation, field in (("CreateRole", "AssumeRolePolicyDocument"), ("UpdateAssumeRolePolicy", "PolicyDocument")):
        replace_operation(operation, _single(field, TRUST, "ACLSizePerRole"))
    for operation in ("CreatePolicy", "CreatePolicyVersion"):
        replace_operation(operation, _single("PolicyDocument", MANAGED, "PolicySize"))
    for kind in INLINE:
        replace_operation(f"Put{kind.capitalize()}Policy", _together(kind))


def size(text: str) -> int:
    return len("".join(text.split()))


def _single(field: str, most: int, quota: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def handler(p: dict[str, Any]) -> Any:
            if size(iam_service._p(p, field)) > most:
                return _exceeded(f"Cannot exceed quota for {quota}: {most}")
            return original(p)

        return handler

    return make


def _together(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    most = INLINE[kind]

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def handler(p: dict[str, Any]) -> Any:
            name, policy = iam_service._p(p, f"{kind.capitalize()}Name"), iam_service._p(p, "PolicyName")
            after = {**_held(kind, name), policy: iam_service._p(p, "PolicyDocument")}
            if sum(size(text) for text in after.values()) > most:
                return _exceeded(f"Maximum policy size of {most} bytes exceeded for {kind} {name}")
            return original(p)

        return handler

    return make


def _held(kind: str, name: str) -> Mapping[str, str]:
    """The inline policies that are there, by name."""
    if kind == "role":
        return (iam_service._roles.get(name) or {}).get("InlinePolicies") or {}
    store = iam_service._user_inline_policies if kind == "user" else iam_service._group_inline_policies
    return store.get(name) or {}


def _exceeded(message: str) -> Any:
    return iam_service._error(409, "LimitExceeded", message, ns="iam")
