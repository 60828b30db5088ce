"""Connect in a bootstrapped cell: people deploy it, make links, confirm and switch it off by the rights of their role.

Real calls to a cell that enforces IAM, and the real engine. The role has no right but those of the one document that is
its policy and its boundary.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import PROMOTER
from ops.actions import run_bootstrap
from tests.bootstrap.conftest import Founding
from tests.connect.visitor import Browser
from tests.customer_key.theirs import TheirOpenAI
from tests.program.rig import CELL, ROOT

pytestmark = [pytest.mark.engine, pytest.mark.cell]
CUSTOMER = "initech"
ON, OFF = "connect: {enabled: true}\n", "connect: {enabled: false}\n"


@dataclass
class Alice:
    """A deployer who became the role of people."""

    founding: Founding
    session: Mapping[str, str]

    def run(self, *arguments: str) -> dict[str, Any]:
        """What a command tells as JSON."""
        done = subprocess.run(
            [sys.executable, "-c", "from ops.cli.main import main\nmain()", *arguments, "--json"],
            cwd=ROOT,
            env={**self.founding.environment(), **self.session},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def client(self, service: str) -> Any:
        key, secret, token = self.session.values()
        held: Any = boto3.Session(key, secret, token, self.founding.cell.region)
        return held.client(service, endpoint_url=self.founding.cell.aws_url)

    def switch(self, before: str, after: str) -> None:
        file = self.founding.file
        file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
        self.run("up", "--cell", CELL)


@pytest.fixture(scope="module")
def names(founding: Founding) -> CellNames:
    return CellNames(CELL, founding.cell.account_id, founding.cell.region)


@pytest.fixture(scope="module")
def alice(founding: Founding) -> Alice:
    """In a cell that was just bootstrapped, before its platform."""
    founding.add_alice()
    founding.may(run_bootstrap.policy(founding.fleet, CELL, deletion=False))
    made = founding.told()
    with founding.file.open("a", encoding="utf-8") as file:
        file.write(made["block"] + "\n" + OFF)
    shutil.copy(ROOT / "tenants" / f"{CUSTOMER}.yaml", founding.fleet / "tenants")
    key = founding.cell.client("administrator", "iam").create_access_key(UserName="alice")["AccessKey"]
    where: dict[str, Any] = {"region_name": founding.cell.region, "endpoint_url": founding.cell.aws_url}
    sts: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"]).client("sts", **where)
    held = sts.assume_role(RoleArn=made["people_role"], RoleSessionName="alice")["Credentials"]
    ids = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    variables = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return Alice(founding, {variable: held[name] for variable, name in zip(variables, ids, strict=True)})


def test_people_deploy_connect_take_in_a_key_and_switch_it_off(alice: Alice, names: CellNames) -> None:
    cell = alice.founding.cell
    alice.switch(OFF, ON)

    made = alice.run("connect", CUSTOMER)
    theirs = TheirOpenAI(cell)
    key = theirs.key()[1]
    address, _, token = made["url"].partition("#")
    browser = Browser(cell, address)
    assert browser.post("/session", token=token)["state"] == "open"
    assert browser.post("/check", link=made["link"], key=key)["passed"]
    browser.post("/save", link=made["link"], key=key)
    alice.client("lambda").invoke(FunctionName=names.function(PROMOTER), Payload=b"{}")
    assert alice.run("connect", "confirm", CUSTOMER, "--yes")["state"] == "promoted"

    kms, s3, secrets = (alice.client(service) for service in ("kms", "s3", "secretsmanager"))
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=names.tenant(CUSTOMER).secret)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(KeyId=names.intake_kms_alias, Plaintext=b"a key of another's")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=names.connect_bucket, Key=f"handed-in/{CUSTOMER}/{made['link']}", Body=b"")

    alice.switch(ON, OFF)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        cell.client("administrator", "s3").list_objects_v2(Bucket=names.connect_bucket)
    listed = cell.client("administrator", "kms").list_aliases()["Aliases"]
    assert not {one["AliasName"] for one in listed} & {names.intake_kms_alias, names.link_kms_alias}
