"""Names and ARNs of everything that MyFlux Keys makes in AWS, derived from the cell and the tenant alone.

Owns names that need an account, a Region or the table of functions. Leaves out the scheme (`names`), which is the part
in the functions' zips.
"""

from __future__ import annotations

from dataclasses import dataclass

from myflux_keys.cell_functions import ADMIN_ROTATION, FUNCTIONS, PROVISIONER, ROTATION, SWEEP, CellFunction
from myflux_keys.declaration import DECLARATIONS
from myflux_keys.identity import IDENTITIES, audience
from myflux_keys.names import (
    MANAGED_BY,
    PLATFORM_TENANT,
    TAG_CELL,
    TAG_MANAGED_BY,
    TAG_TENANT,
    admin_secret,
    customer_admin_secret,
    key_name,
    project_name,
    secret_name,
    tenant_secrets_prefix,
)
from myflux_keys.role_names import dedicated_role, handover_role, runtime_role


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
        return admin_secret(self.cell)

    @property
    def admin_secret_arn_pattern(self) -> str:
        """Secrets Manager appends a hyphen and six random characters to a secret's ARN."""
        return self.secret_arn_prefix(f"{self.admin_secret}-??????")

    @property
    def customer_admin_secrets_arn_pattern(self) -> str:
        """Customers' admin keys. It has one slash more than the cell's own, so neither pattern matches the other's."""
        return self.secret_arn_prefix(f"{customer_admin_secret(self.cell, '*')}-??????")

    @property
    def tenant_secrets_arn_pattern(self) -> str:
        return self.tenant("*").secret_arn_pattern

    @property
    def secrets_arn_patterns(self) -> tuple[str, ...]:
        """Every secret of the cell: tenants', its own admin key's, customers' admin keys'."""
        return (
            self.tenant_secrets_arn_pattern,
            self.admin_secret_arn_pattern,
            self.customer_admin_secrets_arn_pattern,
        )

    @property
    def tenant_secrets_prefix(self) -> str:
        """How the name of each tenant's secret begins."""
        return tenant_secrets_prefix(self.cell)

    def secret_arn_prefix(self, name: str) -> str:
        """How the ARN of a secret begins whose name begins with `name`."""
        return self._arn("secretsmanager", f"secret:{name}")

    @property
    def kms_alias(self) -> str:
        return f"alias/myflux/{self.cell}"

    def function(self, function: CellFunction) -> str:
        """The name of a function and of the role that it runs as."""
        return f"myflux-{self.cell}-{function.ending}"

    def function_arn(self, function: CellFunction) -> str:
        return self._arn("lambda", f"function:{self.function(function)}")

    def function_role_arn(self, function: CellFunction) -> str:
        return self.role_arn(self.function(function))

    @property
    def rotation_function(self) -> str:
        return self.function(ROTATION)

    @property
    def provisioner_function(self) -> str:
        return self.function(PROVISIONER)

    @property
    def admin_rotation_function(self) -> str:
        return self.function(ADMIN_ROTATION)

    @property
    def sweep_function(self) -> str:
        return self.function(SWEEP)

    @property
    def rotation_function_arn(self) -> str:
        return self.function_arn(ROTATION)

    @property
    def provisioner_function_arn(self) -> str:
        return self.function_arn(PROVISIONER)

    @property
    def admin_rotation_function_arn(self) -> str:
        return self.function_arn(ADMIN_ROTATION)

    @property
    def rotation_failed_rule(self) -> str:
        return f"myflux-{self.cell}-rotation-failed"

    def rule(self, function: CellFunction) -> str:
        """The EventBridge rule that calls a function by schedule. Raises ValueError for a function without one."""
        if not function.rule:
            raise ValueError(f"no schedule calls the function {function.ending}: its row in FUNCTIONS has no rule")
        return f"myflux-{self.cell}-{function.rule}"

    @property
    def rules(self) -> tuple[str, ...]:
        """Every EventBridge rule of the platform."""
        return self.rotation_failed_rule, *(self.rule(one) for one in FUNCTIONS if one.rule)

    def rule_arn(self, rule: str) -> str:
        return self._arn("events", f"rule/{rule}")

    @property
    def runtime_role(self) -> str:
        return runtime_role(self.cell)

    @property
    def handover_role(self) -> str:
        return handover_role(self.cell)

    @property
    def handover_role_arn(self) -> str:
        return self.role_arn(self.handover_role)

    @property
    def handover_rule(self) -> str:
        """The EventBridge rule that tells each use of that role."""
        return f"{self.handover_role}-used"

    @property
    def deployer_role(self) -> str:
        """A pipeline's, where the cell's file has one."""
        return f"myflux-{self.cell}-deployer"

    @property
    def deployer_looks_policy(self) -> str:
        return f"{self.deployer_role}-looks"

    @property
    def deployer_connect_policy(self) -> str:
        return f"{self.deployer_role}-connect"

    def deployer_state_policy(self, deploys: str) -> str:
        """`deploys` is `tenants` or `everything`: the policy pack chooses its table by this name."""
        return f"{self.deployer_role}-{deploys}-state"

    @property
    def people_role(self) -> str:
        """The role with which a person deploys, made by `bootstrap`, and the policy that limits and allows it."""
        return f"myflux-{self.cell}-people"

    @property
    def state_bucket(self) -> str:
        """Names of buckets are shared by all accounts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""
        return f"myflux-state-{self.cell}-{self.account_id}"

    @property
    def state_kms_alias(self) -> str:
        return f"alias/myflux-state/{self.cell}"

    @property
    def health_bucket(self) -> str:
        """Tenants' declarations, and what the health function remembers. Shared by all accounts, as above."""
        return f"myflux-health-{self.cell}-{self.account_id}"

    @property
    def health_bucket_arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.health_bucket}"

    @property
    def identity_audience(self) -> str:
        """Of the tokens that AWS signs for the cell's runtime."""
        return audience(self.cell)

    @property
    def connect_bucket(self) -> str:
        """What customers hand in, and what is known of their links. Shared by all accounts, as above."""
        return f"myflux-connect-{self.cell}-{self.account_id}"

    @property
    def connect_bucket_arn(self) -> str:
        return f"arn:{self.partition}:s3:::{self.connect_bucket}"

    @property
    def intake_kms_alias(self) -> str:
        """Of the key that encrypts what customers hand in."""
        return f"alias/myflux-intake/{self.cell}"

    @property
    def link_kms_alias(self) -> str:
        """Of the key that signs links to the connect page."""
        return f"alias/myflux-link/{self.cell}"

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
    def alarm_topic_arn(self) -> str:
        return self._arn("sns", self.alarm_topic)

    @property
    def dashboard(self) -> str:
        return f"myflux-{self.cell}-health"

    def alarm(self, ending: str) -> str:
        """An alarm on what the functions find. `ending` is words joined by ``-``, or ``*`` for a pattern of all."""
        return f"myflux-{self.cell}-{ending}"

    def alarm_arn(self, alarm: str) -> str:
        return self._arn("cloudwatch", f"alarm:{alarm}")

    def log_group(self, function: str) -> str:
        return f"/aws/lambda/{function}"

    def log_group_arn(self, function: str) -> str:
        """As the actions on tags name it: without ``:*``."""
        return self._arn("logs", f"log-group:{self.log_group(function)}")

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
        return self.cell.secret_arn_prefix(f"{self.secret}-??????")

    @property
    def admin_secret(self) -> str:
        """The secret of the admin key of the customer's own organization."""
        return customer_admin_secret(self.cell.cell, self.tenant)

    @property
    def declaration(self) -> str:
        """The key of the tenant's declaration in the health bucket."""
        return f"{DECLARATIONS}{self.tenant}.json"

    @property
    def identity(self) -> str:
        """The key of the federated tenant's identity in the same bucket (`identity`)."""
        return f"{IDENTITIES}{self.tenant}.json"

    @property
    def project(self) -> str:
        return project_name(self.cell.cell, self.tenant)

    def key_name(self, client_request_token: str) -> str:
        """A key's name holds its rotation's token, so that a retry finds the key that a crash left."""
        return key_name(self.cell.cell, self.tenant, client_request_token)

    @property
    def dedicated_role(self) -> str:
        return dedicated_role(self.cell.cell, self.tenant)

    @property
    def dedicated_role_arn(self) -> str:
        return self.cell.role_arn(self.dedicated_role)

    @property
    def dedicated_kms_alias(self) -> str:
        return f"{self.cell.kms_alias}/{self.tenant}"
