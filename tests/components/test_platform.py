"""A cell's platform stack: order, least privilege by construction, and what watches it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.admin_rotation import AdminKeyLife
from components.health_alarms import SAYS
from components.platform import Platform, PlatformArgs
from components.tenant_key import TenantKey
from functions.health.settings import LANGUAGE, TOPIC
from functions.shared.environment import HEALTH_BUCKET
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import FUNCTIONS, HEALTH
from tests.components.test_tenant_key import arguments as tenant_arguments

Build = Callable[[Callable[[], Any]], Any]
FUNCTION = "aws:lambda/function:Function"
ROLE = "aws:iam/role:Role"


def arguments(cell: CellNames, folder: Path, **changes: Any) -> PlatformArgs:
    archive = folder / "function.zip"
    archive.write_bytes(b"PK")
    values: dict[str, Any] = {
        "names": cell,
        "archives": {one.kind: str(archive) for one in FUNCTIONS},
        "admin_key_life": AdminKeyLife("cron(0 3 7 1,4,7,10 ? *)", "4h", 90, 24),
        "openai_base_url": "https://api.openai.com/v1",
        "organization_id": "org-1",
        "runtime_principals": ["arn:aws:iam::111122223333:role/app"],
        "deployer_principals": ["arn:aws:iam::111122223333:role/deployer"],
        "catalogue": "{}",
        "alarm_emails": ["ops@callmyway.example"],
        "log_retention_days": 30,
        "protect": True,
    }
    return PlatformArgs(**(values | changes))


@pytest.fixture(scope="module")
def recorded(build: Build, cell: CellNames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(lambda: Platform("prod-eu1", arguments(cell, tmp_path_factory.mktemp("archive"))))


def test_the_admin_keys_place_is_empty_and_locked(recorded: Any, cell: CellNames) -> None:
    secret = recorded.one("aws:secretsmanager/secret:Secret")
    assert secret.inputs["name"] == cell.admin_secret
    assert "secretString" not in secret.inputs
    policy = json.loads(recorded.one("aws:secretsmanager/secretPolicy:SecretPolicy").inputs["policy"])
    readers = next(s for s in policy["Statement"] if s["Sid"] == "OnlyFunctionsRead")
    assert readers["Condition"]["StringNotEquals"]["aws:PrincipalArn"] == [
        cell.role_arn(cell.rotation_function),
        cell.role_arn(cell.provisioner_function),
        cell.role_arn(cell.admin_rotation_function),
        cell.role_arn(cell.sweep_function),
        cell.function_role_arn(HEALTH),
    ], "neither a deployer nor the runtime may read the admin key"


def test_every_role_is_bounded(recorded: Any, cell: CellNames) -> None:
    roles = recorded.of(ROLE)
    assert len(roles) == len(recorded.of(FUNCTION)) + 1, "each function and the runtime have a role of their own"
    boundary = recorded.one("aws:iam/policy:Policy", "-boundary")
    assert boundary.inputs["name"] == cell.boundary_policy
    for role in roles:
        assert role.inputs["permissionsBoundary"].endswith(f":{boundary.name}"), f"{role.name} could be widened"


def test_a_function_comes_after_its_permissions_and_its_log_group(recorded: Any) -> None:
    for kind in ("eu1-rotation", "provisioner", "admin_rotation", "sweep", "eu1-health"):
        function = recorded.one(FUNCTION, f"{kind}-function")
        assert recorded.reaches(function, recorded.one("aws:iam/rolePolicy:RolePolicy", f"{kind}-permissions"))
        assert recorded.reaches(function, recorded.one("aws:cloudwatch/logGroup:LogGroup", f"{kind}-logs")), (
            "Lambda would make a log group that keeps everything for ever"
        )


def test_secrets_manager_may_call_rotation_for_this_cells_secrets_only(recorded: Any, cell: CellNames) -> None:
    permission = recorded.one("aws:lambda/permission:Permission", "eu1-rotation-permission")
    assert permission.inputs["principal"] == "secretsmanager.amazonaws.com"
    assert permission.inputs["sourceAccount"] == "111122223333"
    assert permission.inputs["sourceArn"] == cell.tenant_secrets_arn_pattern


def test_the_functions_environment_holds_addresses_and_no_secret(recorded: Any) -> None:
    for function in recorded.of(FUNCTION):
        variables = function.inputs["environment"]["variables"]
        shared = {"MYFLUX_CELL", "MYFLUX_ADMIN_SECRET", "MYFLUX_ORGANIZATION_ID", "OPENAI_BASE_URL"}
        own = {"health": {HEALTH_BUCKET, TOPIC, LANGUAGE}, "sweep": {HEALTH_BUCKET}}
        assert set(variables) == shared | own.get(function.name.split("-")[-2], set())


def test_failures_reach_a_person(recorded: Any, cell: CellNames) -> None:
    alarms = recorded.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert {a.inputs["metricName"] for a in alarms} > {"Errors", "ApproximateNumberOfMessagesVisible"}
    silent = {a.inputs["metricName"] for a in alarms if not a.inputs.get("alarmActions")}
    assert silent == set(SAYS), "the health function itself tells these; any other alarm without an action wakes nobody"
    pattern = json.loads(recorded.one("aws:cloudwatch/eventRule:EventRule", "rotation-failed").inputs["eventPattern"])
    assert "RotationFailed" in pattern["detail"]["eventName"]
    assert recorded.one("aws:sns/topicSubscription:TopicSubscription").inputs["endpoint"] == "ops@callmyway.example"
    for function in recorded.of(FUNCTION):
        assert function.inputs["deadLetterConfig"]["targetArn"].endswith("dead-letters")
        (alarm,) = [a for a in alarms if a.inputs["dimensions"] == {"FunctionName": function.inputs["name"]}]
        assert alarm.inputs["metricName"] == "Errors", f"nobody hears of {function.name}"


def test_the_rule_hears_of_this_cells_rotations_and_of_no_other(recorded: Any, cell: CellNames) -> None:
    """The event's form is that of the cell's own, which `tests/aws_secrets/test_rotation_events.py` holds to AWS's."""
    pattern = json.loads(recorded.one("aws:cloudwatch/eventRule:EventRule", "rotation-failed").inputs["eventPattern"])
    assert pattern["source"] == ["aws.secretsmanager"]
    assert pattern["detail-type"] == ["AWS Service Event via CloudTrail"]
    assert set(pattern["detail"]["eventName"]) == {"RotationFailed", "RotationAbandoned", "TestRotationFailed"}
    prefixes = tuple(one["prefix"] for one in pattern["detail"]["additionalEventData"]["SecretId"])
    ours = (cell.tenant("acme").secret_arn_pattern, cell.admin_secret_arn_pattern)
    assert all(arn.replace("?", "x").startswith(prefixes) for arn in ours)
    for other in (
        CellNames("prod-eu10", cell.account_id, cell.region),
        CellNames("prod", cell.account_id, cell.region),
    ):
        assert not other.tenant("acme").secret_arn_pattern.startswith(prefixes)
        assert not other.admin_secret_arn_pattern.startswith(prefixes)


def test_a_failed_rotation_goes_to_the_topic_once_that_takes_it(recorded: Any) -> None:
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget", "rotation-failed-target")
    topic = recorded.one("aws:sns/topic:Topic")
    assert target.inputs["arn"].endswith(f":{topic.name}")
    assert recorded.reaches(target, recorded.one("aws:cloudwatch/eventRule:EventRule", "rotation-failed"))
    assert recorded.reaches(target, recorded.one("aws:sns/topicPolicy:TopicPolicy")), "else SNS would turn it away"


def test_a_tenants_rotation_waits_for_secrets_managers_permission(
    build: Build, cell: CellNames, tmp_path: Path
) -> None:
    """Through the platform's output, which is all that a tenant's stack is told of it."""

    def both() -> None:
        platform = Platform("prod-eu1", arguments(cell, tmp_path))
        args = tenant_arguments(cell.tenant("acme"))
        assert args.managed
        args.managed.rotation_function_arn = platform.rotation_function_arn
        TenantKey("acme", args)

    made = build(both)
    rotation = made.one("aws:secretsmanager/secretRotation:SecretRotation", "acme-rotation")
    permission = made.one("aws:lambda/permission:Permission", "eu1-rotation-permission")
    assert made.reaches(rotation, permission), "a rotation before its permission is a known race"


def test_logs_expire(recorded: Any) -> None:
    assert [g.inputs["retentionInDays"] for g in recorded.of("aws:cloudwatch/logGroup:LogGroup")] == [30] * len(
        recorded.of(FUNCTION)
    )


def test_production_protects_the_cells_key_and_the_admin_secret(recorded: Any) -> None:
    assert {r.type for r in recorded.resources if r.protect} == {
        "aws:kms/key:Key",
        "aws:secretsmanager/secret:Secret",
    }


def test_the_admin_key_rotates_by_schedule_and_never_at_once(recorded: Any, cell: CellNames) -> None:
    rotation = recorded.one("aws:secretsmanager/secretRotation:SecretRotation")
    assert rotation.inputs["rotateImmediately"] is False, (
        "the first admin key is a person's: there is nothing to rotate"
    )
    permission = recorded.one("aws:lambda/permission:Permission", "admin-permission")
    assert permission.inputs["sourceArn"] == cell.admin_secret_arn_pattern
    assert recorded.reaches(rotation, permission), "a rotation before its permission is a known race"
    assert recorded.reaches(rotation, recorded.one("aws:secretsmanager/secretPolicy:SecretPolicy"))
    tags = recorded.one("aws:secretsmanager/secret:Secret").inputs["tags"]
    assert (tags["myflux:every-days"], tags["myflux:overlap-hours"]) == ("90", "24"), "the function reads them there"


def test_old_admin_keys_are_ended_by_a_daily_rule_of_its_own(recorded: Any) -> None:
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget", "admin-tidy-target")
    assert json.loads(target.inputs["input"]) == {"action": "tidy"}
    permission = recorded.one("aws:lambda/permission:Permission", "admin-tidy-permission")
    assert permission.inputs["principal"] == "events.amazonaws.com"
    assert permission.inputs["sourceArn"], "only this rule may call it"


def test_the_admin_key_is_stored_by_deployers_and_its_rotation_alone(recorded: Any, cell: CellNames) -> None:
    policy = json.loads(recorded.one("aws:secretsmanager/secretPolicy:SecretPolicy").inputs["policy"])
    allowed = {
        s["Sid"]: s["Condition"]["StringNotEquals"]["aws:PrincipalArn"] for s in policy["Statement"] if "Sid" in s
    }
    deployer = "arn:aws:iam::111122223333:role/deployer"
    assert allowed["OnlyDeployersAndRotationStore"] == [deployer, cell.role_arn(cell.admin_rotation_function)]
    assert allowed["OnlyDeployersGovern"] == [deployer]


def test_deployers_encrypt_customers_keys_and_decrypt_none(recorded: Any, cell: CellNames) -> None:
    policy = json.loads(recorded.one("aws:kms/key:Key").inputs["policy"])
    (stored,) = [s for s in policy["Statement"] if s["Sid"] == "CustomersKeysStored"]
    assert stored["Action"] == ["kms:GenerateDataKey"]


FEDERATION = "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation"


@pytest.fixture(scope="module")
def federated(build: Build, cell: CellNames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(lambda: Platform("prod-eu1", arguments(cell, tmp_path_factory.mktemp("archive"), federation=True)))


def test_a_cell_without_federation_asks_nothing_of_it(recorded: Any) -> None:
    """A platform that was deployed before has no change but its boundary, which knows federation in every cell."""
    assert not recorded.of(FEDERATION)
    texts = str([r.inputs for r in recorded.resources if not r.name.endswith("-boundary")])
    assert "WebIdentityToken" not in texts
    assert "identities" not in texts


def test_the_platform_enables_the_accounts_federation_unless_the_file_names_the_issuer(
    build: Build, cell: CellNames, tmp_path: Path, federated: Any
) -> None:
    assert federated.one(FEDERATION).inputs == {}
    theirs = arguments(cell, tmp_path, federation=True, issuer="https://other.example")
    assert not build(lambda: Platform("prod-eu1", theirs)).of(FEDERATION), "it is another cell's to end"


def test_with_federation_the_health_function_becomes_the_runtime_and_no_other_function_does(
    federated: Any, cell: CellNames
) -> None:
    role, health = federated.one(ROLE, "-runtime-role"), cell.function_role_arn(HEALTH)
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"AWS": ["arn:aws:iam::111122223333:role/app", health]}
    assert federated.reaches(role, federated.one(ROLE, "-health-role")), "IAM trusts no role that does not exist"
    may = [r.name for r in federated.of("aws:iam/rolePolicy:RolePolicy") if "sts:AssumeRole" in r.inputs["policy"]]
    assert may == ["prod-eu1-health-permissions"]


def test_with_federation_the_runtime_role_itself_is_of_no_tenant(federated: Any, recorded: Any) -> None:
    """AWS does not say whether a token has the role's tags where the session has none."""
    tags = federated.one(ROLE, "-runtime-role").inputs["tags"]
    assert {tag.lower() for tag in tags} == {"cell", "managed-by"}
    assert "tenant" in recorded.one(ROLE, "-runtime-role").inputs["tags"]


def test_with_federation_the_runtime_role_goes_with_the_denials_that_a_command_wrote_to_it(
    federated: Any, recorded: Any
) -> None:
    """AWS deletes no role that has a policy, and no stack has this one."""
    assert federated.one(ROLE, "-runtime-role").inputs["forceDetachPolicies"] is True
    assert "forceDetachPolicies" not in recorded.one(ROLE, "-runtime-role").inputs, "as before there was federation"
