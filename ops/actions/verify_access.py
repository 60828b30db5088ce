"""Who may read one tenant's key, by the documents that AWS has now: AWS's evaluation logic, as the proof has it.

Owns the callers that are tried. A caller who is not ours is given every right, so that only the secret's own policy is
between them and the key. Leaves out the decisions (`ops/isolation`), and proving it for all requests
(`myflux-keys check`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from components.iam.denied_sessions import ALL, POLICY
from ops.actions.access import reader_role
from ops.actions.session_access import spoken
from ops.actions.verify import Step
from ops.isolation.concrete import Somebody, decided, tagged
from ops.isolation.deployment import Secret
from ops.isolation.terms import CannotJudgeError
from ops.rotation_state import SecretFacts
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient

READ: Final = "secretsmanager:GetSecretValue"
_ANYTHING: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
_EVERY_RIGHT: Final = (("every right", _ANYTHING),)


def documents(client: IAMClient, role: str) -> Somebody:
    """The role with its policies and its boundary, as IAM has them. Raises botocore's errors."""
    told: Any = client.get_role(RoleName=role)["Role"]
    policies: list[tuple[str, str]] = []
    for name in client.list_role_policies(RoleName=role)["PolicyNames"]:
        inline: Any = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        policies.append((name, json.dumps(inline)))
    for one in client.list_attached_role_policies(RoleName=role).get("AttachedPolicies", []):
        if "PolicyArn" in one:
            policies.append((one["PolicyArn"].rpartition("/")[2], _managed(client, one["PolicyArn"])))
    boundary = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Somebody(told["Arn"], tuple(policies), _managed(client, boundary) if boundary else None)


def _managed(client: IAMClient, arn: str) -> str:
    version = client.get_policy(PolicyArn=arn)["Policy"].get("DefaultVersionId", "v1")
    document: Any = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"].get("Document", {})
    return json.dumps(document)


def lock(tenant: Tenant, held: SecretFacts, policy: Mapping[str, Any]) -> Secret:
    """The secret as the model takes it. KMS is not asked: nobody reads more than Secrets Manager allows."""
    tags = tuple(sorted(held.tags.items()))
    return Secret(held.name, held.arn, tags, json.dumps(dict(policy)), "", "", tenant.tenant, tenant.minted)


def reader(tenant: Tenant, role: Somebody, secret: Secret, begun: datetime | None = None) -> Step:
    """Whether the application may read the key as this tenant, in a session that began then. `role` is what
    `documents` gave."""
    name = role.arn.rpartition("/")[2]
    asked = f"{READ} as {name} with tag tenant={tenant.tenant}: its policies, its boundary and the secret's policy"
    try:
        may = decided(tagged(role, tenant.tenant, begun), READ, secret)
    except CannotJudgeError as error:
        return Step("the application reads", asked, "could not be asked", str(error))
    if may is None:
        return Step("the application reads", asked, "could not be asked", "it depends on what the model does not know")
    if may == tenant.enabled:
        return Step("the application reads", asked, "ok", "allowed" if may else "denied: the tenant is disabled")
    told = "denied, although the tenant is enabled" if tenant.enabled else "allowed, although the tenant is disabled"
    return Step("the application reads", asked, "wrong", told, f"myflux-keys up {tenant.tenant}")


def sessions(tenant: Tenant, role: str, before: datetime | None, now: datetime) -> Step:
    """Which sessions of the tenant are denied by command. `before` is what SessionAccess says."""
    asked, told = f"iam:GetRolePolicy {POLICY} of {role}", f"{tenant.tenant}'s sessions: {spoken(before, now)}"
    if before == ALL:
        return Step(
            "sessions", asked, "wrong", f"{told}: a revocation was stopped", f"myflux-keys revoke {tenant.tenant}"
        )
    return Step("sessions", asked, "ok", told)


def nobody_else(cell: Cell, tenant: Tenant, secret: Secret) -> Step:
    """Whether the secret's policy alone keeps out others who have every right."""
    step, asked = "nobody else reads", f"{READ} as each of those, with every right: the secret's policy"
    others = dict(_others(cell, tenant))
    try:
        may = {name: decided(who, READ, secret) for name, who in others.items()}
    except CannotJudgeError as error:
        return Step(step, asked, "could not be asked", str(error))
    if let_in := [name for name, one in may.items() if one]:
        return Step(step, asked, "wrong", f"allowed: {', '.join(let_in)}", f"myflux-keys up {tenant.tenant}")
    if open_ := [name for name, one in may.items() if one is None]:
        return Step(step, asked, "could not be asked", f"it depends on more than the policy: {', '.join(open_)}")
    return Step(step, asked, "ok", f"denied: {', '.join(others)}")


def _others(cell: Cell, tenant: Tenant) -> Iterator[tuple[str, Somebody]]:
    role = reader_role(cell, tenant)
    another = "another-tenant" if tenant.tenant != "another-tenant" else "a-third-tenant"
    yield "the same role as another tenant", Somebody(role, _EVERY_RIGHT, tag=another)
    yield "the same role without a tenant", Somebody(role, _EVERY_RIGHT)
    if role != cell.names.runtime_role_arn:
        yield "the cell's runtime role", Somebody(cell.names.runtime_role_arn, _EVERY_RIGHT, tag=tenant.tenant)
    for arn in cell.deployers:
        yield f"{arn.rpartition('/')[2]} (deploys the cell)", Somebody(arn, _EVERY_RIGHT)
    administrator = f"arn:{cell.names.partition}:iam::{cell.account_id}:role/administrator"
    yield "an administrator", Somebody(administrator, _EVERY_RIGHT, tag=tenant.tenant)
