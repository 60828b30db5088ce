"""The deployed zips in a local cell: Secrets Manager rotates through the real function, under the role that ships."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam import identity
from functions import packer
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from local.cell import LocalCell
from myflux_keys import names
from myflux_keys.payload import Payload
from tests.functions.world import CELL, MODEL, Time, provisioner_input

pytestmark = pytest.mark.cell
TENANT = "acme"


@dataclass
class Deployed:
    cell: LocalCell
    names: names.CellNames
    secret_arn: str
    ids: dict[str, Any]

    def client(self, service: str) -> Any:
        return self.cell.client("deployer", service)


def _deploy(cell: LocalCell, called: names.CellNames, kind: packer.Kind, folder: Path, permissions: Any) -> None:
    name = getattr(called, f"{kind}_function")
    iam, functions = cell.client("deployer", "iam"), cell.client("deployer", "lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(identity.function_trust()))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(permissions))
    functions.create_function(
        FunctionName=name,
        Role=role["Arn"],
        Runtime="python3.13",
        Handler=f"functions.{kind}.handler.handler",
        Code={"ZipFile": packer.build(kind, folder / f"{kind}.zip").read_bytes()},
        Timeout=120,
        Environment={
            "Variables": {
                "MYFLUX_CELL": CELL,
                "MYFLUX_ADMIN_SECRET": called.admin_secret,
                "OPENAI_BASE_URL": cell.openai_url,
                "MYFLUX_ORGANIZATION_ID": "org-local",
            }
        },
    )
    for client in (iam, functions):
        client.close()


def _provision(cell: LocalCell, called: names.CellNames, action: str) -> dict[str, Any]:
    functions = cell.client("deployer", "lambda")
    event = provisioner_input(TENANT) | {"tf": {"action": action, "prev_input": None}}
    answer = functions.invoke(FunctionName=called.provisioner_function, Payload=json.dumps(event).encode())
    result = json.loads(answer["Payload"].read())
    functions.close()
    assert "FunctionError" not in answer, result
    return result


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("cell")
    cell = LocalCell.start(folder)
    try:
        called = names.CellNames(CELL, cell.account_id, cell.region)
        secrets, functions = cell.client("deployer", "secretsmanager"), cell.client("deployer", "lambda")
        secrets.create_secret(Name=called.admin_secret, SecretString=cell.openai.create_admin_key())
        _deploy(cell, called, "provisioner", folder, identity.provisioner_permissions(called))
        _deploy(cell, called, "rotation", folder, identity.rotation_permissions(called))
        ids = _provision(cell, called, "create")
        tenant = called.tenant(TENANT)
        tags = tenant.tags | {
            names.TAG_PROJECT_ID: ids["project_id"],
            names.TAG_SERVICE_ACCOUNT_ID: ids["service_account_id"],
            names.TAG_PERMISSION: "restricted",
            names.TAG_MODELS: MODEL,
            names.TAG_EVERY_DAYS: "30",
            names.TAG_OVERLAP_HOURS: "24",
        }
        arn = secrets.create_secret(Name=tenant.secret, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])["ARN"]
        functions.add_permission(
            FunctionName=called.rotation_function,
            StatementId="rotation",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            SourceAccount=cell.account_id,
        )
        secrets.close()
        functions.close()
        yield Deployed(cell, called, arn, ids)
    finally:
        cell.stop()


def _rotate(deployed: Deployed) -> Payload:
    secrets = deployed.client("secretsmanager")
    try:
        before = secrets.describe_secret(SecretId=deployed.secret_arn).get("LastRotatedDate")
        token = secrets.rotate_secret(
            SecretId=deployed.secret_arn,
            RotationLambdaARN=deployed.names.rotation_function_arn,
            RotationRules={"AutomaticallyAfterDays": 30},
        )["VersionId"]
        # LastRotatedDate tells the end: AWSCURRENT moves while the last step still has the old key to shorten.
        end = time.monotonic() + 60
        while (now := secrets.describe_secret(SecretId=deployed.secret_arn)).get("LastRotatedDate") == before:
            assert time.monotonic() < end, f"not rotated: {now}; {_logs(deployed)}"
            time.sleep(0.2)
        assert "AWSCURRENT" in now["VersionIdsToStages"][token]
        others = [labels for version, labels in now["VersionIdsToStages"].items() if version != token]
        assert not any("AWSPENDING" in labels for labels in others)
    finally:
        secrets.close()
    return Payload.from_json(_read(deployed))


def _read(deployed: Deployed) -> str:
    """The deployer can't read a value; the account's administrator can."""
    secrets = deployed.cell.client("administrator", "secretsmanager")
    try:
        return secrets.get_secret_value(SecretId=deployed.secret_arn)["SecretString"]
    finally:
        secrets.close()


def _logs(deployed: Deployed) -> str:
    logs = deployed.cell.client("administrator", "logs")
    try:
        group = deployed.names.log_group(deployed.names.rotation_function)
        return "\n".join(event["message"] for event in logs.filter_log_events(logGroupName=group)["events"])
    except ClientError as error:
        return str(error)
    finally:
        logs.close()


def _accepted(deployed: Deployed, payload: Payload) -> bool:
    try:
        OpenAIHTTP(payload.base_url, Time().deadline()).send("GET", f"/models/{MODEL}", payload.api_key)
    except OpenAIError:
        return False
    return True


def test_secrets_manager_rotates_through_the_deployed_function(deployed: Deployed) -> None:
    first = _rotate(deployed)
    assert _accepted(deployed, first)
    second = _rotate(deployed)
    assert _accepted(deployed, second)
    assert _accepted(deployed, first), "the old key lives through the overlap"
    assert second.key_id != first.key_id
    lives = {key.id: key.expires_at for key in deployed.cell.openai.live_keys(deployed.ids["project_id"])}
    assert set(lives) == {first.key_id, second.key_id}, "two rotations made two keys and no more"
    deployed.cell.advance(24 * 3600 + 60)
    assert not _accepted(deployed, first), "and dies when it is over"
    assert _accepted(deployed, second)
    logged = _logs(deployed)
    assert "rotation.step" in logged, "one line a step reaches the function's log"
    for key in deployed.cell.openai.minted():
        assert key.value not in logged


def test_the_deployed_provisioner_writes_nothing_the_second_time_and_then_archives(deployed: Deployed) -> None:
    control = deployed.cell.openai
    control.settings(admin_requests_per_minute=0)
    control.clear_calls()
    assert _provision(deployed.cell, deployed.names, "update") == deployed.ids
    assert [call for call in control.calls() if call.method != "GET"] == []
    assert _provision(deployed.cell, deployed.names, "delete")["archived"] is True
    assert control.live_keys(deployed.ids["project_id"]) == []
