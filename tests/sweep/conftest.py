"""A cell with the deployed functions, under the roles that ship, and tenants made as a test needs them."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from botocore.exceptions import ClientError

from components.iam import identity
from components.iam.health import health_bucket
from functions import packer
from local.cell import LocalCell
from local.openai.control import LiveKey
from myflux_keys import names
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import PROVISIONER, ROTATION, SWEEP, CellFunction
from tests.functions.world import MODEL, provisioner_input

CELL = "local"
OVERLAP_HOURS = 24
_NUMBERS = itertools.count(1)


class Bench:
    """One running cell. Tests share it, and its clock only goes forward, so each makes tenants of its own."""

    def __init__(self, cell: LocalCell, folder: Path) -> None:
        self.cell = cell
        self.folder = folder
        self.names = CellNames(CELL, cell.account_id, cell.region)
        self.control = cell.openai
        self._clients: dict[tuple[str, str], Any] = {}
        self.secrets = self.client("deployer", "secretsmanager")
        self.control.settings(admin_requests_per_minute=0)
        self.secrets.create_secret(
            Name=self.names.admin_secret, SecretString=self.control.create_admin_key("the cell's")
        )
        policy = health_bucket(self.names, deployers=[self._arn("deployer")], tls=False)
        self.s3 = self.client("deployer", "s3")
        self.s3.create_bucket(Bucket=self.names.health_bucket)
        self.client("administrator", "s3").put_bucket_policy(Bucket=self.names.health_bucket, Policy=json.dumps(policy))
        for one in (PROVISIONER, ROTATION, SWEEP):
            self._deploy(one, folder)
        self.client("deployer", "lambda").add_permission(
            FunctionName=self.names.rotation_function,
            StatementId="rotation",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            SourceAccount=cell.account_id,
        )

    def client(self, user: str, service: str) -> Any:
        if (user, service) not in self._clients:
            self._clients[user, service] = self.cell.client(user, service)
        return self._clients[user, service]

    def _arn(self, user: str) -> str:
        return self.client(user, "sts").get_caller_identity()["Arn"]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _deploy(self, function: CellFunction, folder: Path) -> None:
        name = self.names.function(function)
        permissions = identity.function_permissions(function, self.names)
        iam = self.client("deployer", "iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(identity.function_trust()))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(permissions))
        self.client("deployer", "lambda").create_function(
            FunctionName=name,
            Role=role["Arn"],
            Runtime="python3.13",
            Handler=function.handler,
            Code={"ZipFile": packer.build(function.kind, folder / function.archive).read_bytes()},
            Timeout=300,
            Environment={
                "Variables": {
                    "MYFLUX_CELL": CELL,
                    "MYFLUX_ADMIN_SECRET": self.names.admin_secret,
                    "OPENAI_BASE_URL": self.cell.openai_url,
                    "MYFLUX_ORGANIZATION_ID": "org-local",
                    **({"MYFLUX_HEALTH_BUCKET": self.names.health_bucket} if function.reads_handovers else {}),
                }
            },
        )

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        answer = self.client("deployer", "lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        result = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, result
        return result

    def cold_start(self) -> None:
        """New code ends what runs, and what the sweep had in memory is gone."""
        self.client("deployer", "lambda").update_function_code(
            FunctionName=self.names.sweep_function, ZipFile=(self.folder / "sweep.zip").read_bytes()
        )

    def sweep(self, *tenants: str, **event: Any) -> dict[str, Any]:
        asked = {"action": "sweep", "tenants": list(tenants) or None, "dry_run": False, **event}
        return self.invoke(self.names.sweep_function, asked)

    def of_key(self, answer: dict[str, Any], key_id: str) -> dict[str, Any] | None:
        return next((entry for entry in answer["plan"] if entry["key_id"] == key_id), None)

    def tenant(self, consumers: str = "myflux", **secret: Any) -> TenantBench:
        """`secret` is more of what CreateSecret takes."""
        return TenantBench(self, f"tenant-{next(_NUMBERS)}", consumers, **secret)

    def customer(self) -> str:
        slug = f"customer-{next(_NUMBERS)}"
        tenant = self.names.tenant(slug)
        self.client("administrator", "secretsmanager").create_secret(
            Name=tenant.secret, Tags=_tags(tenant.tags), SecretString="{}"
        )
        return slug

    def numbers(self, metric: str, **by: str) -> list[float]:
        """Every value that was told of a metric with just these dimensions."""
        now = time.time()
        found = self.client("administrator", "cloudwatch").get_metric_statistics(
            Namespace=names.METRICS,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in {"Cell": CELL, **by}.items()],
            StartTime=now - 7200,
            EndTime=now + 7200,
            Period=86_400,
            Statistics=["Maximum", "Minimum", "SampleCount"],
        )
        return [value for point in found["Datapoints"] for value in (point["Minimum"], point["Maximum"])]

    def logged(self) -> str:
        logs = self.client("administrator", "logs")
        group = self.names.log_group(self.names.sweep_function)
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            return "\n".join(event["message"] for page in pages for event in page["events"])
        except ClientError as error:
            return str(error)

    def now(self) -> float:
        return self.control.now()


class TenantBench:
    """One managed tenant with its first key."""

    def __init__(self, bench: Bench, slug: str, consumers: str, **secret: Any) -> None:
        self.bench = bench
        self.slug = slug
        event = provisioner_input(slug) | {"tf": {"action": "create", "prev_input": None}}
        self.ids = bench.invoke(bench.names.provisioner_function, event)
        tenant = bench.names.tenant(slug)
        tags = tenant.tags | {
            names.TAG_PROJECT_ID: self.ids["project_id"],
            names.TAG_SERVICE_ACCOUNT_ID: self.ids["service_account_id"],
            names.TAG_PERMISSION: "restricted",
            names.TAG_MODELS: MODEL,
            names.TAG_EVERY_DAYS: "30",
            names.TAG_OVERLAP_HOURS: str(OVERLAP_HOURS),
            names.TAG_CONSUMERS: consumers,
        }
        self.arn = bench.secrets.create_secret(Name=tenant.secret, Tags=_tags(tags), **secret)["ARN"]
        self.rotate()

    def rotate(self) -> None:
        """To its end, which LastRotatedDate tells: AWSCURRENT moves while the old key is still to be shortened."""
        before = self.last_rotated()
        self.bench.secrets.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=self.bench.names.rotation_function_arn,
            RotationRules={"AutomaticallyAfterDays": 30},
        )
        end = time.monotonic() + 60
        while self.last_rotated() == before:
            assert time.monotonic() < end, f"not rotated: {self.stages()}"
            time.sleep(0.1)

    def last_rotated(self) -> Any:
        return self.bench.secrets.describe_secret(SecretId=self.arn).get("LastRotatedDate")

    def stages(self) -> dict[str, list[str]]:
        return self.bench.secrets.describe_secret(SecretId=self.arn).get("VersionIdsToStages", {})

    def held(self, label: str) -> dict[str, Any]:
        """The payload under a label; only the account's administrator can read it here."""
        reader = self.bench.client("administrator", "secretsmanager")
        return json.loads(reader.get_secret_value(SecretId=self.arn, VersionStage=label)["SecretString"])

    def live(self) -> dict[str, LiveKey]:
        return {key.id: key for key in self.bench.control.live_keys(self.ids["project_id"])}

    def mint(self, name: str | None = None, expires_in_seconds: int | None = 30 * 86_400) -> str:
        """A key on the tenant's service account that no version holds, as a crashed rotation leaves it; its id."""
        admin = self.bench.control.create_admin_key("temporary", expires_in_seconds=3600)
        with openai.OpenAI(admin_api_key=admin, base_url=self.bench.cell.openai_url, max_retries=0) as client:
            made = client.admin.organization.projects.service_accounts.api_keys.create(
                self.ids["service_account_id"],
                project_id=self.ids["project_id"],
                name=name or self.key_name(),
                expires_in_seconds=openai.omit if expires_in_seconds is None else expires_in_seconds,
            )
        return made.id

    def key_name(self) -> str:
        return names.key_name(CELL, self.slug, f"00000000-0000-4000-8000-{next(_NUMBERS):012}")

    def use(self, payload: dict[str, Any]) -> None:
        with openai.OpenAI(api_key=payload["api_key"], base_url=self.bench.cell.openai_url, max_retries=0) as client:
            client.responses.create(model=MODEL, input="Is anybody there?")


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("cell")
    cell = LocalCell.start(folder)
    running = Bench(cell, folder)
    try:
        yield running
    finally:
        running.close()
        cell.stop()
