"""Shutting a tenant's readers out at once, and letting them in again.

Owns the one statement's coming and going in the secret's resource policy. Leaves out the tenant's file and Pulumi. The
policy that is in force is read and changed, never written anew: what else stands in it is the tenant's stack's to say.
The statement is the one that `enabled: false` deploys, so the next `pulumi up` finds what it would have made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.iam.resource import DISABLED, reads_denied
from ops import ways_out
from ops.errors import OperationError, code_of, is_deletion
from tenancy import Cell, Tenant

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

Policy = dict[str, Any]


def reader_role(cell: Cell, tenant: Tenant) -> str:
    """The ARN of the role that reads this tenant's secret."""
    names = cell.names.tenant(tenant.tenant)
    return names.dedicated_role_arn if tenant.isolation == "dedicated" else cell.names.runtime_role_arn


def is_open(policy: Policy) -> bool:
    return all(statement.get("Sid") != DISABLED for statement in policy["Statement"])


def switched(policy: Policy, role: str, *, enabled: bool) -> Policy:
    """`policy` with the statement taken out or put in; equal to `policy` where nothing is to change."""
    others = [statement for statement in policy["Statement"] if statement.get("Sid") != DISABLED]
    return {**policy, "Statement": others if enabled else [*others, reads_denied(role)]}


class Access:
    """Who may read one tenant's secret."""

    def __init__(self, client: SecretsManagerClient, cell: Cell, tenant: Tenant) -> None:
        self._client = client
        self._role = reader_role(cell, tenant)
        self._names = cell.names.tenant(tenant.tenant)

    def policy(self) -> Policy:
        """The policy in force. Raises OperationError where there is none: then nothing guards the secret."""
        try:
            text = self._client.get_resource_policy(SecretId=self._names.secret).get("ResourcePolicy")
        except ClientError as error:
            slug = self._names.tenant
            if code_of(error) == "ResourceNotFoundException":
                raise OperationError(f"{slug}: {ways_out.no_secret(slug)} Nothing was changed.") from None
            if is_deletion(error):
                raise OperationError(f"{slug}: {ways_out.deletion_scheduled(slug)} Nothing was changed.") from None
            raise
        if not text:
            slug = self._names.tenant
            raise OperationError(f"{slug}: {ways_out.no_policy(slug)} Nothing was changed.")
        return json.loads(text)

    def switch(self, *, enabled: bool) -> bool:
        """Opens or shuts the secret to its readers, and looks whether it is so; False where it was already."""
        held = self.policy()
        wanted = switched(held, self._role, enabled=enabled)
        if wanted == held:
            return False
        self._client.put_resource_policy(
            SecretId=self._names.secret, ResourcePolicy=json.dumps(wanted), BlockPublicPolicy=True
        )
        self.check(enabled=enabled)
        return True

    def check(self, *, enabled: bool) -> None:
        """A look at the policy in force. Raises OperationError where it does not say what was just written."""
        if is_open(self.policy()) != enabled:
            raise OperationError(
                f"the policy of {self._names.secret} was written, but AWS returns another one: somebody else changes "
                "it at the same time. Find out who, and run the command again."
            )
