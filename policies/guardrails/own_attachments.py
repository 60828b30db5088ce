"""Managed policies are attached where they belong: ours to their role alone, and none that reads every secret.

Owns the table of what attaches. Leaves out what our own policies say (`own_roles`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .iam.policy_holders import MANAGED_POLICY
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_BROAD: Final = frozenset(
    {
        "AdministratorAccess",
        "AdministratorAccess-Amplify",
        "PowerUserAccess",
        "SecretsManagerReadWrite",
        "AWSSecretsManagerClientReadOnlyAccess",
        "IAMFullAccess",
        "AWSLambda_FullAccess",
    }
)
"""AWS's own policies that read secrets, or change the roles, policies or functions that do."""

_BY_NAME: Final = "customerManagedPolicyReference"

ATTACHING: Final = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ("policyArn", ("role",)),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": ("policyArn", ("user",)),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": ("policyArn", ("group",)),
    "aws:iam/policyAttachment:PolicyAttachment": ("policyArn", ("roles", "users", "groups")),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": ("policyArns", ("roleName",)),
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": ("policyArns", ("userName",)),
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": ("policyArns", ("groupName",)),
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": ("managedPolicyArn", ()),
    "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive": ("managedPolicyArns", ()),
    "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment": (_BY_NAME, ()),
    "aws:ssoadmin/customerManagedPolicyAttachmentsExclusive:CustomerManagedPolicyAttachmentsExclusive": (
        f"{_BY_NAME}s",
        (),
    ),
    ownership.ROLE: ("managedPolicyArns", ("name",)),
}


def _attached(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        if resource.type not in ATTACHING:
            continue
        path, holders = ATTACHING[resource.type]
        if resource.get(path) is None:
            continue
        to = [name for holder in holders for name in _names(stack, resource, holder)]
        for policy in _names(stack, resource, path):
            yield from _attachment(resource, path, policy, to)


def _attachment(resource: Resource, path: str, policy: Any, to: list[Any]) -> Iterator[Finding]:
    held_by_ours = any(isinstance(one, str) and ownership.role_of(one) for one in to)
    if isinstance(policy, dict):
        policy = cast(dict[str, Any], policy).get("name")
    if policy is UNKNOWN:
        yield unknown(resource, path)
        return
    name = str(policy).rpartition("/")[2]
    if name in _BROAD:
        yield violation(
            resource,
            path,
            f"{name} allows access to every secret of the account, or to the roles and functions that have it",
        )
    elif found := ownership.CELLS_POLICY.fullmatch(name):
        holder = f"myflux-{found['cell']}-{'runtime' if found['kind'] == 'read' else 'deployer'}"
        if found["kind"] == "boundary":
            yield violation(resource, path, "a permissions boundary is attached as a permissions policy")
        elif not to or any(one is not UNKNOWN and str(one).rpartition("/")[2] != holder for one in to):
            yield violation(resource, path, f"the policy of {holder} is attached to another identity")
        elif UNKNOWN in to:
            yield unknown(resource, "role")
    elif held_by_ours:
        yield violation(resource, path, f"{name} is attached to a role of ours, which must have only its own policies")


def _names(stack: Stack, resource: Resource, path: str) -> list[Any]:
    """The values at `path`; for unknown ones, the names of the resources that they come from."""
    value = resource.get(path)
    listed: list[Any] = cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]
    if UNKNOWN not in listed:
        return listed
    found = [
        one.get("name")
        for one in ownership.sources(stack, resource, path)
        if one.type in (MANAGED_POLICY, ownership.ROLE)
    ]
    return [*(one for one in listed if one is not UNKNOWN), *(found or [UNKNOWN])]


OWN_ATTACHMENT_RULES: Final = (
    Rule(
        name="policies-attached-where-they-belong",
        severity="critical",
        level="mandatory",
        description="No managed policy that allows access to all secrets is attached; ours are attached to their role "
        "only.",
        rationale="AdministratorAccess, SecretsManagerReadWrite and similar policies allow reading every tenant's key.",
        fix="Attach a policy that names only what is needed, and to our roles only their own.",
        source="https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecretsManagerReadWrite.html",
        check=_attached,
    ),
)
