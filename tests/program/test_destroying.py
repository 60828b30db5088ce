"""A tenant leaves: rotation stops, the place is shut and scheduled for deletion, keys die, the project is archived."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest
from botocore.exceptions import ClientError

from functions.health.state import State
from functions.health.store import STATE
from myflux_keys.cell_functions import HEALTH
from myflux_keys.declaration import Declaration
from myflux_keys.payload import Payload
from ops.stacks.engine import Engine, OperationFailed
from tests.program.rig import Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]


def _up(rig: Rig, slug: str) -> str:
    stack = rig.add_tenant(slug).stack
    rig.up(stack)
    rig.await_first_key(slug)
    return stack


def _accepted(rig: Rig, key: str) -> bool:
    with openai.OpenAI(api_key=key, base_url=rig.cell.openai_url, max_retries=0) as client:
        try:
            client.responses.create(model="gpt-5.4-mini", input="Is anybody there?")
        except openai.AuthenticationError:
            return False
    return True


def test_destroy_stops_rotation_locks_the_place_kills_the_keys_and_archives_last(platform: Rig) -> None:
    slug = "leaver"
    stack = _up(platform, slug)
    platform.rotate(slug)
    keys = [
        key.value for key in platform.cell.openai.minted() if key.name.startswith(f"{platform.tenant(slug).project}-")
    ]
    assert len(keys) == 2
    assert all(_accepted(platform, key) for key in keys)
    platform.cell.openai.clear_calls()

    gone = platform.destroy(stack)

    assert {op for name, op in gone.changed.items() if name.startswith(slug)} == {"delete"}
    asked = platform.trail(slug)
    assert asked.index("CancelRotateSecret") < asked.index("DeleteSecret"), asked
    assert "DeleteResourcePolicy" not in asked, "the lock stays on as long as the secret can come back"
    ended = [step.name for step in gone.steps if step.op == "delete"]
    assert ended.index(f"{slug}-key-secret") < ended.index(f"{slug}-openai-invocation"), "no reader meets a dead key"
    calls = [call.endpoint or "" for call in platform.cell.openai.calls() if call.method != "GET"]
    assert "archive" in calls[-1], calls
    assert not any(_accepted(platform, key) for key in keys)
    assert platform.live_keys(slug) == []
    assert [project.archived for project in platform.projects(slug)] == [True]

    described = platform.describe(slug)
    assert "DeletedDate" in described, "restorable for the recovery window"
    assert not described.get("RotationEnabled")
    administrator = platform.client("administrator", "secretsmanager")
    platform.client("deployer", "secretsmanager").restore_secret(SecretId=described["ARN"])
    policy = json.loads(administrator.get_resource_policy(SecretId=described["ARN"])["ResourcePolicy"])
    assert "OnlyRuntimeAndFunctionsRead" in [statement["Sid"] for statement in policy["Statement"]]
    with pytest.raises(ClientError, match="AccessDenied"):
        administrator.get_secret_value(SecretId=described["ARN"])
    platform.client("deployer", "secretsmanager").delete_secret(SecretId=described["ARN"], RecoveryWindowInDays=7)

    calls_before = len(platform.cell.openai.calls())
    assert platform.destroy(stack).changed == {}, "a second destroy has nothing to do"
    assert len(platform.cell.openai.calls()) == calls_before


def test_destroy_by_another_account_than_the_states_is_refused_before_anything_is_touched(
    platform: Rig, tmp_path: Path
) -> None:
    """The state names the account that it is about. Here the state is turned, since the cell has one account only."""
    slug = "misplaced"
    stack = _up(platform, slug)
    asked = platform.trail(slug)
    genuine = platform.export(stack)
    turned = json.loads(json.dumps(genuine))
    (provider,) = [r for r in turned["deployment"]["resources"] if r["type"] == "pulumi:providers:aws"]
    for side in ("inputs", "outputs"):
        assert "000000000000" in json.dumps(provider[side]["allowedAccountIds"])
        provider[side]["allowedAccountIds"] = json.dumps(["111111111111"])
    (tmp_path / "turned.json").write_text(json.dumps(turned), encoding="utf-8")
    platform.pulumi("stack", "import", "--stack", stack, "--file", str(tmp_path / "turned.json"))

    refused = platform.destroy(stack, fails=True)

    told = "\n".join(refused.errors)
    assert "111111111111" in told
    assert "000000000000" in told
    assert "Traceback" not in told
    assert platform.trail(slug) == asked, "no change was asked of AWS"
    assert [project.archived for project in platform.projects(slug)] == [False]
    assert len(platform.live_keys(slug)) == 1

    (tmp_path / "genuine.json").write_text(json.dumps(genuine), encoding="utf-8")
    platform.pulumi("stack", "import", "--stack", stack, "--file", str(tmp_path / "genuine.json"))
    platform.destroy(stack)
    assert platform.live_keys(slug) == []


def test_the_automation_api_does_the_same_and_tells_what_it_did(
    platform: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    slug = "fleeting"
    stack = platform.add_tenant(slug).stack
    platform.stacks.append(stack)
    engine = Engine(platform.said / "engine", platform.fleet)
    assert engine.preview(stack).changes["create"] > 5
    made = engine.up(stack)
    assert made.changed == made.changes["create"] > 5
    assert made.outputs["secret_arn"] == platform.describe(slug)["ARN"]
    assert made.outputs["project_id"] == platform.projects(slug)[0].id
    platform.await_first_key(slug)
    assert engine.up(stack).changed == 0
    assert engine.refresh(stack).changed == 0
    assert platform.describe(slug)["ARN"] in engine.export(stack)
    assert engine.destroy(stack, remove=True).changes["delete"] == made.changed
    assert platform.live_keys(slug) == []
    assert (platform.said / "engine" / f"{stack}.up.log").stat().st_size > 0
    events = (platform.said / "engine" / f"{stack}.up.jsonl").read_text(encoding="utf-8").splitlines()
    assert all(isinstance(json.loads(line), dict) for line in events)


def test_a_failure_through_the_automation_api_is_its_explanation_and_the_place_of_the_rest(
    platform: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    platform.stacks.append("unheard-of.local")
    with pytest.raises(OperationFailed) as failure:
        Engine(platform.said / "engine", platform.fleet).preview("unheard-of.local")
    assert failure.value.stack == "unheard-of.local"
    assert "add tenants/unheard-of.yaml" in failure.value.explanation
    assert "Traceback" not in str(failure.value)
    assert str(platform.said / "engine") in str(failure.value)


def test_a_restored_version_of_a_dead_key_is_of_no_use(platform: Rig) -> None:
    """The window in which a deleted secret can be restored brings back the place, never a working key."""
    slug = "returned"
    stack = _up(platform, slug)
    platform.destroy(stack)
    deployer = platform.client("deployer", "secretsmanager")
    arn = platform.describe(slug)["ARN"]
    deployer.restore_secret(SecretId=arn)
    sts = platform.client("runtime", "sts")
    held = sts.assume_role(
        RoleArn=platform.names.runtime_role_arn, RoleSessionName="test", Tags=[{"Key": "tenant", "Value": slug}]
    )["Credentials"]
    import boto3

    session = boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], platform.cell.region)
    client = session.client("secretsmanager", endpoint_url=platform.cell.aws_url)
    payload = Payload.from_json(client.get_secret_value(SecretId=arn)["SecretString"])
    client.close()
    assert not _accepted(platform, payload.api_key.reveal())
    deployer.delete_secret(SecretId=arn, RecoveryWindowInDays=7)


def test_the_health_function_watches_a_tenant_by_its_own_rights_until_it_leaves(platform: Rig) -> None:
    slug = "watched"
    stack = _up(platform, slug)
    names, functions = platform.names, platform.client("deployer", "lambda")
    s3 = platform.client("deployer", "s3")

    def look(**event: int) -> dict[str, Any]:
        name = names.function(HEALTH)
        called = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        told = json.loads(called["Payload"].read())
        assert "FunctionError" not in called, told
        return told

    def remembered() -> State:
        return State.from_json(s3.get_object(Bucket=names.health_bucket, Key=STATE)["Body"].read().decode())

    told = look()
    assert told["failed"] == {}, "its role may do what it needs, and the policies of bucket and secrets let it"
    assert remembered().tenants[slug].seen_at is not None, "it read the declaration and the key, and OpenAI answered"
    assert look(every_minutes=60)["skipped"], "a call of the schedule between two cycles"
    held = s3.get_object(Bucket=names.health_bucket, Key=names.tenant(slug).declaration)["Body"].read().decode()
    assert Declaration.from_json(held).tenant == slug
    with pytest.raises(ClientError, match="AccessDenied"):
        platform.client("administrator", "s3").get_object(Bucket=names.health_bucket, Key=STATE)

    platform.destroy(stack)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=names.health_bucket, Key=names.tenant(slug).declaration)
    look()
    assert slug not in remembered().tenants
