"""Denies reads of a tenant's secret at once, and allows them again.

Adds one statement to the secret's resource policy, or removes it; the policy's other statements stay unchanged, since
the tenant's stack deploys them. The statement is the one that `enabled: false` deploys, so the next `pulumi up` changes
nothing.
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


def switched(policy: Policy, *roles: str, enabled: bool) -> Policy:
    """`policy` with the statement removed or added; equal to `policy` where nothing must change."""
    others = [statement for statement in policy["Statement"] if statement.get("Sid") != DISABLED]
    return {**policy, "Statement": others if enabled else [*others, reads_denied(*roles)]}


class Access:
    """Who may read one tenant's secret."""

    def __init__(self, client: SecretsManagerClient, cell: Cell, tenant: Tenant) -> None:
        self._client = client
        people = [cell.names.handover_role_arn] if cell.hands_over(tenant.consumers.used) else []
        self._roles = (reader_role(cell, tenant), *people)
        self._names = cell.names.tenant(tenant.tenant)
        self._minted = tenant.minted

    def policy(self) -> Policy:
        """The policy in force. Raises OperationError where there is none: then no statement denies other readers."""
        try:
            text = self._client.get_resource_policy(SecretId=self._names.secret).get("ResourcePolicy")
        except ClientError as error:
            slug = self._names.tenant
            if code_of(error) == "ResourceNotFoundException":
                raise OperationError(f"{slug}: {ways_out.no_secret(slug)} Nothing was changed.") from None
            if is_deletion(error):
                told = ways_out.deletion_scheduled(slug, minted=self._minted)
                raise OperationError(f"{slug}: {told} Nothing was changed.") from None
            raise
        if not text:
            slug = self._names.tenant
            raise OperationError(f"{slug}: {ways_out.no_policy(slug)} Nothing was changed.")
        return json.loads(text)

    def switch(self, *, enabled: bool) -> bool:
        """Allows or denies reads, then reads the policy back; returns False where nothing had to change."""
        present = self.policy()
        wanted = switched(present, *self._roles, enabled=enabled)
        if wanted == present:
            return False
        self._client.put_resource_policy(
            SecretId=self._names.secret, ResourcePolicy=json.dumps(wanted), BlockPublicPolicy=True
        )
        self.check(enabled=enabled)
        return True

    def check(self, *, enabled: bool) -> None:
        """Reads the policy in force. Raises OperationError where it is not the one that was just written."""
        if is_open(self.policy()) != enabled:
            raise OperationError(
                f"the policy of {self._names.secret} was written, but AWS returns another one: somebody else changed "
                "it at the same time. Find out who, then run the command again."
            )
