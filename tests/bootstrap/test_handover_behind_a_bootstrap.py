"""A hand-over in a bootstrapped cell: people deploy its role, and one of them reads a key as her own user, with MFA.

Real calls to a cell that enforces IAM, the real engine and a real page. The role of people may become no other role.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import expect

from functions.shared.handover import Handover, object_name
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import HEALTH, SWEEP
from tests.bootstrap.alice import PROFILE, Alice
from tests.bootstrap.conftest import Founding
from tests.browser.fixtures import chromium as chromium
from tests.browser.fixtures import new_page as new_page
from tests.browser.launch import NewPage
from tests.handover.authenticator import Authenticator
from tests.handover.person import say_saved
from tests.program.rig import CELL, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.cell, pytest.mark.browser]
TENANT = "fjord"


@pytest.fixture(scope="module")
def names(founding: Founding) -> CellNames:
    return CellNames(CELL, founding.cell.account_id, founding.cell.region)


@pytest.fixture(scope="module")
def alice(founding: Founding) -> Alice:
    """She deployed the cell, which names her alone for hand-overs, its admin key and a tenant of CINNOX."""
    text = founding.file.read_text(encoding="utf-8")
    user = f"arn:aws:iam::{founding.cell.account_id}:user"
    line = f'handover: {{principals: ["{user}/deployer"]}}'
    assert line in text
    founding.file.write_text(text.replace(line, line.replace("deployer", "alice")), encoding="utf-8")
    made = Alice.of(founding)
    founding.cell.openai.settings(admin_requests_per_minute=0)
    made.run("up", "--cell", CELL)
    made.run("admin-key", "set", "--cell", CELL, stdin=founding.cell.openai.create_admin_key("an owner's") + "\n")
    made.add_tenant(TENANT)
    made.run("up", TENANT)
    return made


@pytest.fixture(scope="module")
def authenticator(alice: Alice) -> Authenticator:
    return Authenticator.of(alice.founding.cell, "alice", "alice")


def test_a_person_hands_a_key_over_as_her_own_user_and_records_it_as_the_role_of_people(
    alice: Alice, names: CellNames, authenticator: Authenticator, new_page: NewPage
) -> None:
    secrets = alice.client("secretsmanager")
    secret = names.tenant(TENANT).secret
    wait_until(lambda: "LastRotatedDate" in secrets.describe_secret(SecretId=secret), f"the first key of {TENANT}")
    options = ("--consumer", "cinnox", "--no-browser", "--user-profile", PROFILE, "--mfa-serial", authenticator.serial)
    with alice.running("handover", TENANT, *options) as running:
        running.give(authenticator.code())
        page = new_page()
        page.goto(running.link())
        expect(page.get_by_role("button", name="Copy the key")).to_be_visible()
        say_saved(page)
        code, out = running.end()
    assert code == 0, running.said
    told: dict[str, Any] = json.loads(out)
    assert (told["end"], told["recorded"], told["by"]) == ("saved", True, "alice")
    name = object_name(TENANT, "cinnox")
    s3 = alice.client("s3")
    text = s3.get_object(Bucket=names.health_bucket, Key=name)["Body"].read().decode()
    assert Handover.read(text, name).by == "alice"


def test_the_functions_know_the_hand_over_behind_their_boundary(alice: Alice, names: CellNames) -> None:
    functions = alice.client("lambda")
    for function, event in ((HEALTH, {}), (SWEEP, {"action": "sweep", "dry_run": True, "tenants": [TENANT]})):
        answer = functions.invoke(FunctionName=names.function(function), Payload=json.dumps(event))
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        assert not told.get("failed"), told


def test_nothing_differs_after_it(alice: Alice) -> None:
    told = alice.run("preview", "--cell", CELL, "--refresh")
    assert told, told


def test_neither_the_role_nor_an_access_key_alone_becomes_the_hand_over_role(
    alice: Alice, names: CellNames, authenticator: Authenticator
) -> None:
    asked: dict[str, Any] = {
        "RoleArn": names.handover_role_arn,
        "RoleSessionName": "alice",
        "Tags": [{"Key": "tenant", "Value": TENANT}],
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        alice.client("sts").assume_role(**asked)
    own = alice.own_client("sts")
    with pytest.raises(ClientError, match="AccessDenied"):
        own.assume_role(**asked)
    held = own.assume_role(**asked, SerialNumber=authenticator.serial, TokenCode=authenticator.code())
    assert held["AssumedRoleUser"]["Arn"].endswith(":assumed-role/myflux-local-handover/alice")


def test_without_people_the_role_its_rule_and_its_reads_are_gone(alice: Alice, names: CellNames) -> None:
    founding = alice.founding
    file = founding.file
    kept = [line for line in file.read_text(encoding="utf-8").splitlines(True) if not line.startswith("handover:")]
    file.write_text("".join(kept), encoding="utf-8")
    alice.run("up", "--cell", CELL)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        founding.cell.client("administrator", "iam").get_role(RoleName=names.handover_role)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        founding.cell.client("administrator", "events").describe_rule(Name=names.handover_rule)
    policy = alice.client("secretsmanager").get_resource_policy(SecretId=names.tenant(TENANT).secret)["ResourcePolicy"]
    assert names.handover_role not in policy
