"""The policy of a resource."""

from __future__ import annotations

from typing import Final

from ministack.core import iam_evaluator
from ministack.services import iam as iam_service

from local.aws.iam.decision import ResourcePolicy
from local.aws.iam.policy import parse

_REQUIRED: Final = frozenset({"kms", "sts"})
"""A key's policy and a role's trust policy must let even the owner's own identities in, by name or by their account.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
"""

_ASSUME: Final = frozenset({"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"})


def resource_policy(service: str, action: str, resource: str) -> ResourcePolicy | None:
    """None if the resource has no policy, or does not exist."""
    if not resource.startswith("arn:"):
        return None
    if service == "sts":
        return _trust_policy(resource) if action in _ASSUME else None
    if service == "kms" and ":key/" not in resource:
        return None
    found = iam_evaluator._resource_policy(service, resource)
    if found is None:
        return None
    document, owner = found
    return ResourcePolicy(parse(document), owner or resource.split(":")[4], required=service in _REQUIRED)


def _trust_policy(role_arn: str) -> ResourcePolicy:
    """A role that does not exist trusts nobody; AWS's answer does not show whether it exists."""
    account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
    role = iam_service._roles.get_scoped(account, None, role_arn.rpartition("/")[2])
    trust = role["AssumeRolePolicyDocument"] if role and role["Arn"] == role_arn else None
    return ResourcePolicy(parse(trust), account, required=True)
