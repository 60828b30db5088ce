"""Every name and address that MyFlux Keys gives to a thing, derived from the cell and the tenant alone.

Owns the naming scheme, so that a tenant's stack, the functions, the runtime and the tests find each other without
looking anything up. Leaves out validation of tenant files (tenancy/). Slugs hold only ``a-z 0-9 -``, so ``/``, ``.``
and ``_`` separate cell from tenant without ambiguity: no two (cell, tenant) pairs share a name in AWS or a stack. The
names of OpenAI projects and keys separate them by ``-`` and are unique within a cell, which has its own organization.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MANAGED_BY = "myflux-keys"

TAG_TENANT = "tenant"
TAG_CELL = "cell"
TAG_MANAGED_BY = "managed-by"
TAG_PROJECT_ID = "myflux:project-id"
TAG_SERVICE_ACCOUNT_ID = "myflux:service-account-id"
TAG_PERMISSION = "myflux:permission"
TAG_MODELS = "myflux:models"
"""The allow-list joined by one space, the default model first. A tag value holds at most 256 characters."""
TAG_EVERY_DAYS = "myflux:every-days"
TAG_OVERLAP_HOURS = "myflux:overlap-hours"
TAG_ORGANIZATION_ID = "myflux:organization-id"
"""On a tenant's secret: its keys are minted in this OpenAI organization, the customer's, with the admin key that they
gave. Left out: in the cell's."""
TAG_CONSUMERS = "myflux:consumers"
"""Those of CONSUMERS that use the key, joined by one space: whom an alarm about an old key names."""
CONSUMERS = ("myflux", "cinnox")

METRICS = "MyFluxKeys"
"""The CloudWatch namespace of what the functions find."""

PLATFORM_TENANT = "_platform"
"""The `tenant` tag of what a cell's tenants share. Not a slug, so no session tag of a tenant ever equals it."""

SERVICE_ACCOUNT = "myflux-runtime"

TENANT_SLUG = re.compile(r"[a-z][a-z0-9-]{2,31}", re.ASCII)
CELL_SLUG = re.compile(r"[a-z][a-z0-9-]{2,19}", re.ASCII)
"""Shorter than a tenant's: the longest name built on it alone must fit IAM's and Lambda's 64 characters."""


@dataclass(frozen=True)
class CellNames:
    """Names and ARNs of what one cell's tenants share. `account_id` is 12 digits, `region` e.g. ``eu-central-1``."""

    cell: str
    account_id: str
    region: str
    partition: str = "aws"

    @property
    def stack(self) -> str:
        return self.cell

    def _arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        region = self.region if regional else ""
        return f"arn:{self.partition}:{service}:{region}:{self.account_id}:{resource}"

    @property
    def tags(self) -> dict[str, str]:
        return {TAG_TENANT: PLATFORM_TENANT, TAG_CELL: self.cell, TAG_MANAGED_BY: MANAGED_BY}

    @property
    def admin_secret(self) -> str:
        """Outside ``myflux/<cell>/``, so that no pattern written for tenants' secrets ever reaches it."""
        return f"myflux-admin/{self.cell}/openai"

    @property
    def admin_secret_arn_pattern(self) -> str:
        """Secrets Manager appends a hyphen and six random characters to a secret's ARN."""
        return self._arn("secretsmanager", f"secret:{self.admin_secret}-??????")

    @property
    def customer_admin_secrets_arn_pattern(self) -> str:
        """Customers' admin keys. One slash more than the cell's own has: neither pattern reaches the other's."""
        return self._arn("secretsmanager", f"secret:{customer_admin_secret(self.cell, '*')}-??????")

    @property
    def tenant_secrets_arn_pattern(self) -> str:
        return self._arn("secretsmanager", f"secret:myflux/{self.cell}/*/openai-??????")

    @property
    def kms_alias(self) -> str:
        return f"alias/myflux/{self.cell}"

    @property
    def rotation_function(self) -> str:
        return f"myflux-{self.cell}-rotation"

    @property
    def provisioner_function(self) -> str:
        return f"myflux-{self.cell}-provisioner"

    @property
    def admin_rotation_function(self) -> str:
        """Not ``…-admin-rotation``: a cell called ``<cell>-admin`` has a function and a role of that name."""
        return f"myflux-{self.cell}-admin-rotator"

    @property
    def sweep_function(self) -> str:
        return f"myflux-{self.cell}-sweep"

    @property
    def sweep_function_arn(self) -> str:
        return self._arn("lambda", f"function:{self.sweep_function}")

    @property
    def sweep_role(self) -> str:
        return self.sweep_function

    @property
    def sweep_rule(self) -> str:
        return f"myflux-{self.cell}-sweep"

    @property
    def rotation_function_arn(self) -> str:
        return self._arn("lambda", f"function:{self.rotation_function}")

    @property
    def provisioner_function_arn(self) -> str:
        return self._arn("lambda", f"function:{self.provisioner_function}")

    @property
    def admin_rotation_function_arn(self) -> str:
        return self._arn("lambda", f"function:{self.admin_rotation_function}")

    @property
    def rotation_role(self) -> str:
        return f"myflux-{self.cell}-rotation"

    @property
    def provisioner_role(self) -> str:
        return f"myflux-{self.cell}-provisioner"

    @property
    def admin_rotation_role(self) -> str:
        return self.admin_rotation_function

    @property
    def admin_tidy_rule(self) -> str:
        return f"myflux-{self.cell}-admin-tidy"

    @property
    def runtime_role(self) -> str:
        return f"myflux-{self.cell}-runtime"

    @property
    def deployer_role(self) -> str:
        """A pipeline's, where the cell's file has one."""
        return f"myflux-{self.cell}-deployer"

    @property
    def deployer_looks_policy(self) -> str:
        return f"{self.deployer_role}-looks"

    @property
    def boundary_policy(self) -> str:
        return f"myflux-{self.cell}-boundary"

    @property
    def read_policy(self) -> str:
        return f"myflux-{self.cell}-read"

    @property
    def dead_letter_queue(self) -> str:
        return f"myflux-{self.cell}-dead-letters"

    @property
    def alarm_topic(self) -> str:
        return f"myflux-{self.cell}-alarms"

    @property
    def rotation_failed_rule(self) -> str:
        return f"myflux-{self.cell}-rotation-failed"

    def log_group(self, function: str) -> str:
        return f"/aws/lambda/{function}"

    def role_arn(self, role: str) -> str:
        return self._arn("iam", f"role/{role}", regional=False)

    def policy_arn(self, policy: str) -> str:
        return self._arn("iam", f"policy/{policy}", regional=False)

    @property
    def runtime_role_arn(self) -> str:
        return self.role_arn(self.runtime_role)

    def tenant(self, tenant: str) -> TenantNames:
        return TenantNames(self, tenant)


@dataclass(frozen=True)
class TenantNames:
    """Names and ARNs of what belongs to one tenant alone."""

    cell: CellNames
    tenant: str

    @property
    def stack(self) -> str:
        return f"{self.tenant}.{self.cell.cell}"

    @property
    def tags(self) -> dict[str, str]:
        return {TAG_TENANT: self.tenant, TAG_CELL: self.cell.cell, TAG_MANAGED_BY: MANAGED_BY}

    @property
    def secret(self) -> str:
        return secret_name(self.cell.cell, self.tenant)

    @property
    def secret_arn_pattern(self) -> str:
        return self.cell._arn("secretsmanager", f"secret:{self.secret}-??????")  # pyright: ignore[reportPrivateUsage]

    @property
    def admin_secret(self) -> str:
        """The place of an admin key of the customer's own organization."""
        return customer_admin_secret(self.cell.cell, self.tenant)

    @property
    def project(self) -> str:
        return project_name(self.cell.cell, self.tenant)

    def key_name(self, client_request_token: str) -> str:
        """A key carries its rotation's token, so that a retry finds the key which a crash left behind."""
        return key_name(self.cell.cell, self.tenant, client_request_token)

    @property
    def dedicated_role(self) -> str:
        return f"myflux-{self.cell.cell}_{self.tenant}"

    @property
    def dedicated_role_arn(self) -> str:
        return self.cell.role_arn(self.dedicated_role)

    @property
    def dedicated_kms_alias(self) -> str:
        return f"{self.cell.kms_alias}/{self.tenant}"


def tenant_secrets_prefix(cell: str) -> str:
    return f"myflux/{cell}/"


def admin_secrets_prefix(cell: str) -> str:
    return f"myflux-admin/{cell}/"


def secret_name(cell: str, tenant: str) -> str:
    """All that a reader needs to know to find a tenant's secret."""
    return f"{tenant_secrets_prefix(cell)}{tenant}/openai"


def project_name(cell: str, tenant: str) -> str:
    """The tenant's project at OpenAI."""
    return f"myflux-{cell}-{tenant}"


def customer_admin_secret(cell: str, tenant: str) -> str:
    return f"{admin_secrets_prefix(cell)}{tenant}/openai"


def key_name(cell: str, tenant: str, client_request_token: str) -> str:
    return f"myflux-{cell}-{tenant}-{client_request_token}"


def admin_key_name(cell: str, client_request_token: str) -> str:
    """An admin key that a rotation made, as OpenAI lists it. The underscore, which no slug has, keeps it apart from a
    tenant's key and from another cell's."""
    return f"myflux-{cell}_admin-{client_request_token}"
