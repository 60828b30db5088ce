"""`myflux-keys doctor` against a cell that the real engine deployed, and against one that nobody deployed yet."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.iam.deployer_trust import Job, deployer_trust
from myflux_keys.cell_functions import HEALTH
from ops.account import Account
from ops.actions.doctor_trail import trail
from ops.actions.doctor_trail_looks import trails
from tenancy import load
from tests.actions.conftest import Operated
from tests.commands import client

pytestmark = [pytest.mark.engine, pytest.mark.cell]

BUCKET, ISSUER = "myflux-state-doctor", "token.actions.githubusercontent.com"
PIPELINE = {"github": {"repository": "myflux/keys", "environment": "prod"}}


@dataclass(frozen=True)
class Told:
    code: int
    err: str
    findings: dict[str, dict[str, dict[str, str]]]

    def state(self, where: str) -> dict[str, str]:
        return {check: one["state"] for check, one in self.findings[where].items()}


@dataclass(frozen=True)
class Room:
    """A copy of the fleet that a test may change, and the operators who look at it."""

    operated: Operated
    fleet: Path

    def client(self, service: str) -> Any:
        return self.operated.cell.client("administrator", service)

    def cell(self, name: str = "local", **fields: Any) -> None:
        file = self.fleet / "cells" / "local.yaml"
        text: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        (file.parent / f"{name}.yaml").write_text(yaml.safe_dump(text | {"cell": name} | fields), encoding="utf-8")

    def doctor(self, cell: str, user: str = "deployer", **environment: str) -> Told:
        own = self.operated.cell.environment(user) | {"MYFLUX_FLEET": str(self.fleet)} | environment
        said = client.run(["doctor", cell, "--json"], own)
        assert said.stdout, said.stderr
        found = json.loads(said.stdout)["findings"]
        return Told(
            said.returncode, said.stderr, {where: {one["check"]: one for one in all_} for where, all_ in found.items()}
        )


@pytest.fixture
def room(operated: Operated, tmp_path: Path) -> Room:
    shutil.copytree(operated.fleet, tmp_path / "fleet")
    return Room(operated, tmp_path / "fleet")


def test_a_deployer_sees_that_all_is_well_and_what_it_may_not_look_at(room: Room) -> None:
    room.operated.forget_health()
    told = room.doctor("local")
    assert told.code == 0, told.err
    assert set(told.state("this machine").values()) == {"ok"}
    assert told.state("local") == {
        "clock": "ok",
        "account and Region": "ok",
        "functions": "ok",
        "connect page": "not checked",
        "Lambda concurrency": "not checked",
        "IAM roles": "not checked",
        "roles that read keys": "ok",
        "state bucket": "not checked",
        "OIDC provider": "not checked",
        "admin key": "ok",
        "OpenAI organization": "ok",
        "OpenAI limits": "not checked",
        "alarms": "ok",
        "CloudTrail trail": "not checked",
        "health function": "not checked",
    }
    seen = {check: one["seen"] for check, one in told.findings["local"].items()}
    assert seen["Lambda concurrency"] == "AWS denied lambda:GetAccountSettings"
    assert seen["IAM roles"] == "AWS denied iam:GetAccountSummary"
    assert "stored 0 d ago, rotates by 20" in seen["admin key"]
    assert "org-local answers the cell's admin key" in seen["OpenAI organization"]
    assert "oncall@myflux.example: confirmed" in seen["alarms"]
    assert "it has not looked at the tenants yet" in seen["health function"], "the tests' cells have no schedules"
    health = room.operated.names.function(HEALTH)
    room.client("lambda").invoke(FunctionName=health, Payload="{}")
    looked = room.doctor("local").findings["local"]["health function"]
    assert looked["state"] == "ok"
    assert "it last looked 0 min ago" in looked["seen"]


def test_it_only_reads(room: Room) -> None:
    control = room.operated.cell.openai
    minted = len(control.minted())
    control.clear_calls()
    room.doctor("local")
    assert {(call.method, call.path) for call in control.calls()} == {("GET", "/v1/organization/admin_api_keys")}
    pages = room.client("cloudtrail").get_paginator("lookup_events").paginate()
    events = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    asked = {event["eventName"] for event in events if "myflux-keys/doctor" in event.get("userAgent", "")}
    assert "GetCallerIdentity" in asked or "DescribeSecret" in asked, "the trail knows the command"
    assert {name for name in asked if not name.startswith(("Describe", "Get", "Invoke", "List"))} == set()
    assert "GetSecretValue" not in asked
    assert len(control.minted()) == minted


def test_lines_for_a_person_and_the_exit_code_for_a_script(room: Room) -> None:
    room.cell(alarm_emails=["nobody@myflux.example"])
    environment = room.operated.cell.environment("deployer") | {"MYFLUX_FLEET": str(room.fleet)}
    said = client.run(["doctor", "local"], environment)
    assert said.returncode == 1
    (line,) = [line for line in said.stdout.splitlines() if " alarms " in line]
    assert " wrong " in line
    assert "nobody@myflux.example is not subscribed" in line
    assert "To do: `pulumi up --refresh --stack local`" in line
    assert said.stderr.strip().splitlines()[-1] == "myflux-keys: wrong: local: alarms"


@pytest.fixture
def production(room: Room) -> Iterator[Room]:
    """The cell's file with a bucket, a key and a pipeline, and all of them as they should be."""
    s3, keys, roles = (room.client(service) for service in ("s3", "kms", "iam"))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    key = keys.create_key()["KeyMetadata"]["Arn"]
    room.cell(state={"bucket": BUCKET, "kms_key": key}, pipeline=PIPELINE)
    found = load(room.fleet).cells["local"]
    assert found.pipeline
    provider = roles.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    trust = deployer_trust(found.names, Job(ISSUER, "sts.amazonaws.com", found.pipeline.subject))
    roles.create_role(RoleName=found.names.deployer_role, AssumeRolePolicyDocument=json.dumps(trust))
    yield room
    roles.delete_role(RoleName=found.names.deployer_role)
    roles.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["OpenIDConnectProviderArn"])
    keys.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    s3.delete_bucket(Bucket=BUCKET)


WHERE_THE_STATE_IS = (
    "state bucket",
    "state: versions",
    "state: public access",
    "state: encryption",
    "state: KMS key",
    "OIDC provider",
    "pipeline's role",
)


def test_quotas_state_and_pipeline_are_ok_then_each_is_told_when_it_is_wrong(production: Room) -> None:
    told = production.doctor("local", "administrator", PULUMI_BACKEND_URL="")
    states = told.state("local")
    for check in ("Lambda concurrency", "IAM roles", *WHERE_THE_STATE_IS):
        assert states[check] == "ok", told.findings["local"][check]
    assert ", 0 still to reserve" in told.findings["local"]["Lambda concurrency"]["seen"]
    s3, roles = production.client("s3"), production.client("iam")
    names = production.operated.names
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=BUCKET)
    key = load(production.fleet).cells["local"].state
    assert key
    production.client("kms").disable_key(KeyId=key.kms_key)
    arn = f"arn:aws:iam::{names.account_id}:oidc-provider/{ISSUER}"
    roles.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    roles.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["somebody.else"])
    other = deployer_trust(names, Job(ISSUER, "sts.amazonaws.com", "repo:somebody/else:environment:prod"))
    roles.update_assume_role_policy(RoleName=names.deployer_role, PolicyDocument=json.dumps(other))
    told = production.doctor("local", "administrator", PULUMI_BACKEND_URL="")
    assert told.code == 1
    wrong = {check for check, state in told.state("local").items() if state == "wrong"}
    assert wrong == {
        "state: versions", "state: public access", "state: KMS key", "OIDC provider", "pipeline's role",
    }  # fmt: skip


def test_a_bucket_a_key_and_a_provider_that_are_not_there_are_wrong(room: Room) -> None:
    key = f"arn:aws:kms:us-east-1:{room.operated.names.account_id}:key/00000000-0000-0000-0000-000000000000"
    room.cell(state={"bucket": "myflux-state-not-there", "kms_key": key}, pipeline=PIPELINE)
    states = room.doctor("local", "administrator", PULUMI_BACKEND_URL="").state("local")
    assert {states[check] for check in ("state bucket", "state: KMS key", "OIDC provider", "pipeline's role")} == {
        "wrong"
    }


def test_a_shell_that_keeps_the_state_elsewhere_is_wrong(production: Room) -> None:
    found = production.doctor("local", "administrator", PULUMI_BACKEND_URL="s3://another").findings["local"]
    assert found["state bucket"]["state"] == "wrong"
    assert found["state bucket"]["mend"] == "`unset PULUMI_BACKEND_URL`"
    assert found["state: versions"]["state"] == "ok", "that is the bucket of the file"


def test_a_cell_that_nobody_deployed_is_told_what_it_lacks(room: Room) -> None:
    room.cell("other")
    told = room.doctor("other", "administrator")
    assert told.code == 1
    states = told.state("other")
    assert {states[check] for check in ("functions", "roles that read keys", "admin key", "alarms")} == {"wrong"}
    assert states["Lambda concurrency"] == "ok", "there is room for it"
    assert "21 still to reserve" in told.findings["other"]["Lambda concurrency"]["seen"]
    assert "7 still to make" in told.findings["other"]["IAM roles"]["seen"]
    assert states["OpenAI organization"] == "not checked"
    assert "myflux-keys up --cell other" in told.findings["other"]["functions"]["mend"]


def test_a_role_that_trusts_somebody_deleted_is_told_with_the_id(room: Room) -> None:
    room.cell("other")
    roles = room.client("iam")
    user = roles.create_user(UserName="myflux-doctor-gone")["User"]
    trust = {"Effect": "Allow", "Principal": {"AWS": user["Arn"]}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    roles.create_role(RoleName="myflux-other-runtime", AssumeRolePolicyDocument=document)
    try:
        assert room.doctor("other").state("other")["roles that read keys"] == "ok"
        roles.delete_user(UserName="myflux-doctor-gone")
        found = room.doctor("other").findings["other"]["roles that read keys"]
    finally:
        roles.delete_role(RoleName="myflux-other-runtime")
    assert found["state"] == "wrong"
    assert user["UserId"] in found["seen"]


def test_an_openai_that_fails_is_wrong(room: Room) -> None:
    control = room.operated.cell.openai
    control.fault("500", method="GET", path="admin_api_keys", count=None)
    try:
        found = room.doctor("local").findings["local"]["OpenAI organization"]
    finally:
        control.clear_faults()
    assert found["state"] == "wrong"
    assert "admin-key set --cell local" in found["mend"]


def test_nothing_is_asked_of_another_account(room: Room) -> None:
    account, user = "123456789012", "arn:aws:iam::123456789012:user/"
    room.cell(
        "elsewhere", local=False, account_id=account, runtime_principals=[f"{user}r"], deployer_principals=[f"{user}d"]
    )
    told = room.doctor("elsewhere")
    assert told.code == 1
    states = told.state("elsewhere")
    assert states.pop("account and Region") == "wrong"
    assert states.pop("clock") == "ok"
    assert set(states.values()) == {"not checked"}


def test_credentials_that_aws_refuses_are_told_and_its_refusal_tells_the_time(room: Room) -> None:
    told = room.doctor("local", AWS_ACCESS_KEY_ID="AKIA" + "X" * 16)
    assert told.code == 1
    states = told.state("local")
    assert states.pop("account and Region") == "wrong"
    assert states.pop("clock") == "ok"
    assert set(states.values()) == {"not checked"}


def test_aws_out_of_reach_is_told_once_and_the_rest_is_not_checked(room: Room) -> None:
    told = room.doctor("local", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert told.code == 1
    assert "Traceback" not in told.err
    states = told.state("local")
    assert states.pop("account and Region") == "wrong"
    assert set(states.values()) == {"not checked"}
    assert "cannot be reached" in told.findings["local"]["account and Region"]["seen"]


def test_what_an_accounts_trails_log_is_read(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", room.operated.cell.aws_url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cell, session = load(room.fleet).cells["local"], room.operated.cell.session("administrator")
    with Account(cell, "doctor", session=session) as account:
        assert trail(cell.region, trails(account)).seen.startswith("the account has none for us-east-1")
        account.buckets.create_bucket(Bucket="a-trails-bucket")
        account.trail.create_trail(Name="all", S3BucketName="a-trails-bucket", IsMultiRegionTrail=True)
        assert "does not log" in trail(cell.region, trails(account)).seen
        account.trail.start_logging(Name="all")
        assert trail(cell.region, trails(account)).state == "ok"
        writes: Any = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
        account.trail.put_event_selectors(TrailName="all", EventSelectors=[writes])
        assert "leaves out reads of secrets" in trail(cell.region, trails(account)).seen
        account.trail.delete_trail(Name="all")
