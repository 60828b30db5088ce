"""Tenants of a cell as they are deployed: the runtime role and the health bucket with the product's own documents, and
of each tenant the rule, the identity, the secret and the key, each made and taken away as a switch does.

The cell's clock goes forward with the readers'.
"""

from __future__ import annotations

import itertools
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from components.iam import identity, resource
from components.iam.health import health_bucket
from local.cell import LocalCell
from myflux_keys import KeyReader
from myflux_keys.aws_names import CellNames, TenantNames
from myflux_keys.identity import TenantIdentity
from myflux_keys.payload import Payload, SecretText
from tests.keyless.world import OWN, TRUST, Keyless, allow

CELL = "local"
ORGANIZATION = "org-local"
MODEL = "gpt-5.4-mini"
_NUMBERS = itertools.count(1)


@dataclass
class Clock:
    """A reader's: seconds since the epoch, from now. Sessions of the local AWS end by the machine's clock."""

    cell: LocalCell
    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.cell.advance(seconds)
        self.ahead += seconds


@dataclass
class Tenant:
    """`slug` is new in each test. What is there of it is what the test made."""

    deployed: Deployed
    slug: str
    project_id: str
    service_account_id: str
    rule_id: str = ""
    key_ids: list[str] = field(default_factory=list[str])

    @property
    def names(self) -> TenantNames:
        return self.deployed.names.tenant(self.slug)

    def make_rule(self) -> None:
        rule = self.deployed.rules.create(
            self.deployed.provider_id,
            attribute_matchers={"sub": self.deployed.names.runtime_role_arn, "openai.tenant": self.slug},
            project_id=self.project_id,
            service_account_id=self.service_account_id,
        )
        self.rule_id = rule.id

    def delete_rule(self) -> None:
        self.deployed.rules.delete(self.rule_id, workload_identity_provider_id=self.deployed.provider_id)

    def identity(self, **changes: Any) -> str:
        fields: dict[str, Any] = {
            "tenant": self.slug,
            "cell": CELL,
            "provider_id": self.deployed.provider_id,
            "service_account_id": self.service_account_id,
            "project_id": self.project_id,
            "organization_id": ORGANIZATION,
            "base_url": self.deployed.cell.openai_url,
            "models": (MODEL,),
        }
        return TenantIdentity(**(fields | changes)).to_json()

    def put_identity(self, text: str | None = None) -> None:
        self.deployed.s3.put_object(
            Bucket=self.names.cell.health_bucket, Key=self.names.identity, Body=(text or self.identity()).encode()
        )

    def delete_identity(self) -> None:
        self.deployed.s3.delete_object(Bucket=self.names.cell.health_bucket, Key=self.names.identity)

    def make_secret(self) -> None:
        self.deployed.secrets.create_secret(
            Name=self.names.secret, Tags=[{"Key": key, "Value": value} for key, value in self.names.tags.items()]
        )

    def open_secret(self, enabled: bool = True) -> None:
        policy = resource.tenant_secret(
            self.names,
            reader_role=self.names.cell.runtime_role_arn,
            writers=[self.deployed.deployer],
            deployers=[self.deployed.deployer],
            enabled=enabled,
        )
        self.deployed.secrets.put_resource_policy(SecretId=self.names.secret, ResourcePolicy=json.dumps(policy))

    def mint(self) -> None:
        """A key of the tenant's project is AWSCURRENT."""
        made = self.deployed.world.admin.admin.organization.projects.service_accounts.api_keys.create(
            self.service_account_id, project_id=self.project_id, name=f"key {len(self.key_ids)}"
        )
        self.key_ids.append(made.id)
        now = datetime.now(UTC)
        payload = Payload(
            tenant=self.slug,
            api_key=SecretText(made.value),
            key_id=made.id,
            project_id=self.project_id,
            service_account_id=self.service_account_id,
            organization_id=ORGANIZATION,
            base_url=self.deployed.cell.openai_url,
            models=(MODEL,),
            minted_at=now.isoformat(),
            expires_at=(now + timedelta(days=90)).isoformat(),
        )
        self.deployed.secrets.put_secret_value(SecretId=self.names.secret, SecretString=payload.to_json())

    def end_keys(self) -> None:
        for key in self.key_ids:
            self.deployed.world.admin.admin.organization.projects.api_keys.delete(key, project_id=self.project_id)
        self.key_ids.clear()

    def delete_secret(self) -> None:
        self.deployed.secrets.delete_secret(SecretId=self.names.secret, RecoveryWindowInDays=7)


@dataclass
class Deployed:
    world: Keyless
    names: CellNames
    provider_id: str
    deployer: str
    s3: Any
    secrets: Any
    clock: Clock
    calls: list[str] = field(default_factory=list[str])
    """Operations of AWS that readers called in this test, in order."""
    open: ExitStack = field(default_factory=ExitStack)

    @property
    def cell(self) -> LocalCell:
        return self.world.cell

    @property
    def rules(self) -> Any:
        return self.world.admin.admin.organization.workload_identity_providers.federation_rules

    def reader(self, **options: Any) -> KeyReader:
        """Closed when the test ends. What it calls of AWS is in `calls`."""
        session = self.cell.session("runtime")
        session.events.register("before-call.*.*", self._note)
        given: dict[str, Any] = {"session": session, "clock": self.clock} | options
        return self.open.enter_context(KeyReader(CELL, **given))

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def tenant(self) -> Tenant:
        """A project and an account, and nothing with which to call."""
        slug = f"tenant{next(_NUMBERS)}"
        projects = self.world.admin.admin.organization.projects
        project = projects.create(name=slug)
        account = projects.service_accounts.create(project.id, name="runtime", create_service_account_only=True)
        projects.service_accounts.update(account.id, project_id=project.id, role="member")
        return Tenant(self, slug, project.id, account.id)

    def federated(self) -> Tenant:
        """State 3: a rule and an identity, no secret."""
        tenant = self.tenant()
        tenant.make_rule()
        tenant.put_identity()
        return tenant

    def keyed(self) -> Tenant:
        """State 1: a secret with a key."""
        tenant = self.tenant()
        tenant.make_secret()
        tenant.open_secret()
        tenant.mint()
        return tenant


def deploy(world: Keyless) -> Deployed:
    cell = world.cell
    names = CellNames(CELL, cell.account_id, cell.region)
    deployer = cell.client("deployer", "sts").get_caller_identity()["Arn"]
    runtime = cell.client("runtime", "sts").get_caller_identity()["Arn"]
    iam, s3 = cell.client("administrator", "iam"), cell.client("deployer", "s3")
    trust = identity.runtime_trust([runtime], identity.any_tenant())
    iam.create_role(RoleName=names.runtime_role, AssumeRolePolicyDocument=json.dumps(trust))
    document = identity.runtime_read(names, federation=True)
    iam.put_role_policy(RoleName=names.runtime_role, PolicyName="read", PolicyDocument=json.dumps(document))
    assume = {"Version": "2012-10-17", "Statement": [allow(TRUST, names.runtime_role_arn)]}
    iam.put_user_policy(UserName="runtime", PolicyName=names.runtime_role, PolicyDocument=json.dumps(assume))
    s3.create_bucket(Bucket=names.health_bucket)
    policy = health_bucket(names, deployers=[deployer], tls=False, federation=True)
    cell.client("administrator", "s3").put_bucket_policy(Bucket=names.health_bucket, Policy=json.dumps(policy))
    issuer = iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"]
    provider = world.admin.admin.organization.workload_identity_providers.create(
        type="oidc",
        name="myflux-local-1",
        issuer=issuer,
        audience=names.identity_audience,
        attribute_transformations=[
            {"attribute": "openai.tenant", "expression": f'assertion["{OWN}"]["principal_tags"]["tenant"]'}
        ],
    )
    secrets = cell.client("deployer", "secretsmanager")
    return Deployed(world, names, provider.id, deployer, s3, secrets, Clock(cell))
