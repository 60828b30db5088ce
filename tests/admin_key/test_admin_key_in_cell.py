"""The admin key's whole life in a local cell: stored by a person, rotated by the deployed zip, ended a day later."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.iam import identity, resource
from functions import packer
from local.cell import LocalCell
from myflux_keys import names
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import ADMIN_ROTATION
from tests.commands import client

pytestmark = pytest.mark.cell
ROOT = Path(__file__).resolve().parents[2]
CELL = "local"


@dataclass
class Deployed:
    cell: LocalCell
    names: CellNames
    said: list[str]
    """All that commands and functions ever printed."""

    def command(self, *arguments: str, key: str = "", user: str = "deployer") -> subprocess.CompletedProcess[str]:
        environment = self.cell.environment(user) | {"PYTHONWARNINGS": "error"}
        done = client.run(arguments, environment, stdin=key)
        self.said += [done.stdout, done.stderr]
        return done

    def set(self, key: str, user: str = "deployer") -> subprocess.CompletedProcess[str]:
        return self.command("admin-key", "set", "--cell", CELL, "--json", key=key + "\n", user=user)

    def ask(self, user: str, service: str, operation: str, **parameters: Any) -> Any:
        client = self.cell.client(user, service)
        try:
            return getattr(client, operation)(**parameters)
        finally:
            client.close()

    def stages(self) -> dict[str, list[str]]:
        return self.ask("deployer", "secretsmanager", "describe_secret", SecretId=self.names.admin_secret).get(
            "VersionIdsToStages", {}
        )

    def tidy(self) -> str:
        """Invoked as the account's administrator: nobody else but the daily rule may. Its log tells what it did."""
        answer = self.ask(
            "administrator",
            "lambda",
            "invoke",
            FunctionName=self.names.admin_rotation_function,
            Payload=json.dumps({"action": "tidy"}).encode(),
        )
        return answer["Payload"].read().decode()

    def logs(self) -> str:
        group = self.names.log_group(self.names.admin_rotation_function)
        events = self.ask("administrator", "logs", "filter_log_events", logGroupName=group)["events"]
        return "\n".join(event["message"] for event in events)

    def admin_keys(self) -> dict[str, Any]:
        return {key["name"]: key for key in self.cell.openai.state()["admin_keys"]}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("cell")
    cell = LocalCell.start(folder)
    try:
        called = CellNames(CELL, cell.account_id, cell.region)
        held = Deployed(cell, called, [])
        deployer = f"arn:aws:iam::{cell.account_id}:user/deployer"
        tags = called.tags | {names.TAG_EVERY_DAYS: "90", names.TAG_OVERLAP_HOURS: "24"}
        held.ask(
            "deployer",
            "secretsmanager",
            "create_secret",
            Name=called.admin_secret,
            Tags=[{"Key": k, "Value": v} for k, v in tags.items()],
        )
        held.ask(
            "deployer",
            "secretsmanager",
            "put_resource_policy",
            SecretId=called.admin_secret,
            ResourcePolicy=json.dumps(resource.admin_secret(called, deployers=[deployer])),
            BlockPublicPolicy=True,
        )
        trust = json.dumps(identity.function_trust())
        name = called.admin_rotation_function
        role = held.ask("deployer", "iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        permissions = json.dumps(identity.function_permissions(ADMIN_ROTATION, called))
        held.ask("deployer", "iam", "put_role_policy", RoleName=name, PolicyName="p", PolicyDocument=permissions)
        variables = {
            "MYFLUX_CELL": CELL,
            "MYFLUX_ADMIN_SECRET": called.admin_secret,
            "OPENAI_BASE_URL": cell.openai_url,
            "MYFLUX_ORGANIZATION_ID": "org-local",
        }
        held.ask(
            "deployer",
            "lambda",
            "create_function",
            FunctionName=name,
            Role=role["Arn"],
            Runtime="python3.13",
            Handler="functions.admin_rotation.handler.handler",
            Code={"ZipFile": packer.build("admin_rotation", folder / "admin_rotation.zip").read_bytes()},
            Timeout=120,
            Environment={"Variables": variables},
        )
        held.ask(
            "deployer",
            "lambda",
            "add_permission",
            FunctionName=name,
            StatementId="rotation",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
            SourceAccount=cell.account_id,
        )
        yield held
    finally:
        cell.stop()


def _no_key_in(deployed: Deployed, text: str) -> None:
    for key in deployed.cell.openai.minted():
        assert key.value not in text, f"{key!r} was printed"


def test_the_admin_keys_whole_life(deployed: Deployed) -> None:
    control = deployed.cell.openai
    control.settings(admin_requests_per_minute=0)

    for more in ((), ("--dry-run",)):
        refused = deployed.command("admin-key", "rotate", "--cell", CELL, *more)
        assert refused.returncode == 1
        assert "holds no admin key yet" in refused.stderr

    stored = deployed.set(control.create_admin_key("by hand"))
    assert stored.returncode == 0, stored.stderr
    assert "never expires" in stored.stderr, "a key that lives for ever is accepted, and said to be one"
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed.ask("deployer", "secretsmanager", "get_secret_value", SecretId=deployed.names.admin_secret)

    deployed.ask(
        "deployer",
        "secretsmanager",
        "rotate_secret",
        SecretId=deployed.names.admin_secret,
        RotationLambdaARN=deployed.names.admin_rotation_function_arn,
        RotationRules={"ScheduleExpression": "cron(0 3 7 1,4,7,10 ? *)", "Duration": "4h"},
        RotateImmediately=False,
    )
    # Only testSecret runs, on a version that was never minted, and what is live stays so.
    end = time.monotonic() + 60
    while len(deployed.stages()) > 1 and time.monotonic() < end:
        time.sleep(0.1)
    assert list(deployed.stages().values()) == [["AWSCURRENT"]]
    assert set(deployed.admin_keys()) == {"by hand"}

    stages = deployed.stages()
    looked = deployed.command("admin-key", "rotate", "--cell", CELL, "--dry-run", "--json")
    assert looked.returncode == 0, looked.stderr
    assert next(iter(stages)) in json.loads(looked.stdout)["plan"][1]
    assert (deployed.stages(), set(deployed.admin_keys())) == (stages, {"by hand"})

    rotated = deployed.command("admin-key", "rotate", "--cell", CELL, "--wait", "--json")
    assert rotated.returncode == 0, rotated.stderr + deployed.logs()
    version = json.loads(rotated.stdout)["version_id"]
    assert "AWSCURRENT" in deployed.stages()[version]
    made = names.admin_key_name(CELL, version)
    assert set(deployed.admin_keys()) == {"by hand", made}
    life = deployed.admin_keys()[made]["expires_at"] - control.now()
    assert 100 * 86_400 < life < 365 * 86_400

    assert "errorMessage" not in deployed.tidy()
    assert set(deployed.admin_keys()) == {"by hand", made}, "within the overlap nothing is ended"
    deployed.cell.advance(25 * 3600)
    assert "errorMessage" not in deployed.tidy(), deployed.logs()
    assert set(deployed.admin_keys()) == {made}, "a day later the replaced key is ended"

    logged = deployed.logs()
    assert "admin_rotation.step" in logged
    _no_key_in(deployed, logged)
    events = deployed.ask("administrator", "cloudtrail", "lookup_events")["Events"]
    assert [e for e in events if e["EventName"] == "PutSecretValue"], "the trail does hold the writes"
    _no_key_in(deployed, json.dumps(events, default=str))
    _no_key_in(deployed, "".join(deployed.said))


@pytest.mark.parametrize("user", ["ci", "stranger", "runtime"])
def test_only_deployers_store_it(deployed: Deployed, user: str) -> None:
    deployed.cell.openai.settings(admin_requests_per_minute=0)
    before = deployed.stages()
    refused = deployed.set(deployed.cell.openai.create_admin_key(), user=user)
    assert refused.returncode == 1
    assert "only the cell's deployers may store" in refused.stderr
    assert deployed.stages() == before


def test_a_project_key_a_cut_key_and_nothing_are_refused_before_openai_is_asked(deployed: Deployed) -> None:
    before, asked = deployed.stages(), len(deployed.cell.openai.calls())
    for text, told in (
        ("sk-" + "proj-" + "x" * 40, "not an admin key"),
        ("sk-" + "admin-" + "x" * 20 + " " + "y" * 20, "white space"),
        ("", "no key was given"),
    ):
        refused = deployed.set(text)
        assert refused.returncode == 1
        assert told in refused.stderr
        assert not text or text not in refused.stdout + refused.stderr
    assert (deployed.stages(), len(deployed.cell.openai.calls())) == (before, asked)


def test_a_key_is_typed_at_a_prompt_that_shows_nothing(deployed: Deployed) -> None:
    deployed.cell.openai.settings(admin_requests_per_minute=0)
    key = deployed.cell.openai.create_admin_key("typed", expires_in_seconds=200 * 86_400)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        command = [sys.executable, "-m", "ops.cli", "admin-key", "set", "--cell", CELL]
        os.execve(sys.executable, command, deployed.cell.environment("deployer"))
    shown = b""
    while b"not shown" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, key.encode() + b"\n")
    while True:
        try:
            more = os.read(terminal, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, shown.decode()
    assert b"Stored in" in shown
    assert key.encode() not in shown
