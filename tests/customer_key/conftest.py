"""A local cell with a customer's place and a managed tenant's, under the policies that ship."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.iam import identity, resource
from local.cell import LocalCell
from myflux_keys import KeyReader
from myflux_keys.aws_names import CellNames
from tests.commands import client
from tests.customer_key.theirs import TheirOpenAI

ROOT = Path(__file__).resolve().parents[2]
CELL = "local"
CUSTOMER, MANAGED, DEDICATED = "initech", "acme", "hooli"
MODEL, OTHER_MODEL = "gpt-6-luna", "gpt-5.4-mini"


@dataclass
class Place:
    """The cell, its files, and everything that commands ever printed."""

    cell: LocalCell
    names: CellNames
    fleet: Path
    theirs: TheirOpenAI
    said: list[str] = field(default_factory=list[str])

    @property
    def project(self) -> str:
        """The customer's own OpenAI project."""
        return self.theirs.project

    def command(self, *arguments: str, key: str = "", user: str = "deployer") -> subprocess.CompletedProcess[str]:
        environment = self.cell.environment(user) | {"MYFLUX_FLEET": str(self.fleet), "PYTHONWARNINGS": "error"}
        done = client.run(arguments, environment, stdin=key + "\n")
        self.said += [done.stdout, done.stderr]
        return done

    def set(self, key: str, tenant: str = CUSTOMER, user: str = "deployer") -> subprocess.CompletedProcess[str]:
        return self.command("key", "set", tenant, "--json", key=key, user=user)

    def ask(self, user: str, service: str, operation: str, **parameters: Any) -> Any:
        client = self.cell.client(user, service)
        try:
            return getattr(client, operation)(**parameters)
        finally:
            client.close()

    def stages(self, tenant: str = CUSTOMER) -> dict[str, list[str]]:
        secret = self.names.tenant(tenant).secret
        return self.ask("deployer", "secretsmanager", "describe_secret", SecretId=secret).get("VersionIdsToStages", {})

    def reader(self) -> KeyReader:
        return KeyReader(CELL, session=self.cell.session("runtime"), role_arn=self.names.runtime_role_arn, ttl=1)

    def service_account_key(self, **changes: Any) -> str:
        return self.theirs.key(**changes)[1]

    def limit(self, method: str, path: str, body: dict[str, Any]) -> None:
        self.theirs.send(method, f"/{self.project}{path}", body)


def _files(folder: Path) -> Path:
    (folder / "tenants").mkdir(parents=True)
    (folder / "cells").mkdir()
    (folder / "cells" / "local.yaml").write_text((ROOT / "cells" / "local.yaml").read_text(encoding="utf-8"))
    for tenant, more in (
        (CUSTOMER, "source: customer\n"),
        (DEDICATED, "source: customer\nisolation: dedicated\n"),
        (MANAGED, "source: managed\nrotation: {every_days: 31, overlap_hours: 24}\n"),
    ):
        head = f"tenant: {tenant}\nname: {tenant.title()}\ncell: local\ncountry: US\nmodels: [{MODEL}, {OTHER_MODEL}]\n"
        (folder / "tenants" / f"{tenant}.yaml").write_text(head + more)
    return folder


def _make_secret(place: Place, tenant: str, key: str) -> None:
    names = place.names.tenant(tenant)
    deployer = f"arn:aws:iam::{place.cell.account_id}:user/deployer"
    rotation = place.names.role_arn(place.names.rotation_function)
    policy = resource.tenant_secret(
        names,
        reader_role=place.names.runtime_role_arn,
        writers=[rotation] if tenant == MANAGED else [deployer],
        deployers=[deployer],
        enabled=True,
    )
    tags = [{"Key": name, "Value": value} for name, value in names.tags.items()]
    place.ask("deployer", "secretsmanager", "create_secret", Name=names.secret, KmsKeyId=key, Tags=tags)
    place.ask(
        "deployer",
        "secretsmanager",
        "put_resource_policy",
        SecretId=names.secret,
        ResourcePolicy=json.dumps(policy),
        BlockPublicPolicy=True,
    )


def _make_key(place: Place, secrets: list[str]) -> str:
    policy = resource.secrets_key(
        place.names,
        users=[place.names.runtime_role_arn],
        deployers=[f"arn:aws:iam::{place.cell.account_id}:user/deployer"],
        secrets=secrets,
        admin_key=False,
        customers=secrets,
    )
    return place.ask("deployer", "kms", "create_key", Policy=json.dumps(policy))["KeyMetadata"]["Arn"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    cell = LocalCell.start(tmp_path_factory.mktemp("cell"))
    try:
        cell.openai.settings(admin_requests_per_minute=0)
        names = CellNames(CELL, cell.account_id, cell.region)
        made = Place(cell, names, _files(tmp_path_factory.mktemp("fleet")), TheirOpenAI(cell))
        runtime = f"arn:aws:iam::{cell.account_id}:user/runtime"
        trust = json.dumps(identity.runtime_trust([runtime], identity.any_tenant()))
        made.ask("deployer", "iam", "create_role", RoleName=names.runtime_role, AssumeRolePolicyDocument=trust)
        read = json.dumps(identity.runtime_read(names))
        made.ask(
            "deployer", "iam", "put_role_policy", RoleName=names.runtime_role, PolicyName="read", PolicyDocument=read
        )
        shared = _make_key(made, [names.tenant_secrets_arn_pattern])
        for tenant in (CUSTOMER, MANAGED):
            _make_secret(made, tenant, shared)
        yield made
    finally:
        cell.stop()
