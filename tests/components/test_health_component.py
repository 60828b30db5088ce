"""The health function's schedule, rights, alarms and dashboard, and the bucket of declarations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.cell_alarms import link
from components.health import Health, HealthArgs, schedule
from components.health_alarms import HEARTBEAT, SAYS, health_alarms
from components.health_dashboard import WIDTH, health_dashboard
from components.health_store import HealthStore, HealthStoreArgs
from components.iam.functions import function_permissions
from components.iam.health import health_bucket
from components.iam.statements import Document
from components.platform import Platform
from components.sweep import schedule as sweeps
from functions.health import store
from functions.health.counting import counted
from functions.health.pace import CALLED_EVERY_MINUTES
from functions.health.store import STATE
from functions.health.trouble import KINDS
from functions.shared.handover import object_name
from local.aws.iam.decision import Policies, Request, ResourcePolicy, decide
from local.aws.iam.policy import parse
from local.aws.iam.principals import Caller
from local.provider.registry import find
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import HEALTH, SWEEP
from myflux_keys.declaration import CATALOGUE
from tests.components.test_platform import arguments

Build = Callable[[Callable[[], Any]], Any]
TOPIC = "arn:aws:sns:eu-central-1:111122223333:topic"
DEPLOYER = "arn:aws:iam::111122223333:role/deployer"
EVERYTHING: Document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def recorded(build: Build, cell: CellNames) -> Any:
    return build(lambda: Health("looking", HealthArgs(cell, cell.function_arn(HEALTH), TOPIC, every_minutes=240)))


def test_the_schedule_tells_the_function_how_often_a_cycle_is_due(recorded: Any) -> None:
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget")
    assert json.loads(target.inputs["input"]) == {"every_minutes": 240}
    assert recorded.reaches(target, recorded.one("aws:lambda/permission:Permission"))


def test_a_cells_health_function_and_its_sweep_are_never_called_in_the_same_minute() -> None:
    for number in range(100):
        looks, sweep = (one(f"cell-{number}") for one in (schedule, sweeps))
        first, every = map(int, looks.removeprefix("cron(").split(" ", 1)[0].split("/"))
        assert 0 <= first < every
        assert every == CALLED_EVERY_MINUTES
        assert (int(sweep.removeprefix("cron(").split("/", 1)[0]) - first) % every != 0


def test_each_kind_that_is_told_has_an_alarm_and_the_function_tells_its_troubles_itself(recorded: Any) -> None:
    alarms = {one.inputs["metricName"]: one.inputs for one in recorded.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    told = {kind.metric for kind in KINDS.values() if not kind.quiet}
    assert alarms.keys() == told | {HEARTBEAT}
    assert {metric for metric, one in alarms.items() if one.get("alarmActions")} == {HEARTBEAT}
    assert {metric for metric, one in alarms.items() if one["treatMissingData"] == "breaching"} == {HEARTBEAT}, (
        "missing numbers are silence, except those of the heartbeat"
    )
    for one in alarms.values():
        assert one["period"] * one["evaluationPeriods"] <= 86_400, "CloudWatch looks back a day at most"
    assert alarms["OpenAISilent"]["name"].endswith("-open-ai-silent")


def test_the_dashboard_has_each_number_once_and_fits(cell: CellNames) -> None:
    alarms = health_alarms(60)
    body = health_dashboard(cell, alarms, 60)
    shown = [row[1] for one in body["widgets"] for row in one["properties"].get("metrics", ())]
    assert sorted(shown) == sorted(datum.metric for datum in counted([], watched=1, silent=0))
    assert len(shown) <= 21
    (states,) = [one["properties"]["alarms"] for one in body["widgets"] if one["type"] == "alarm"]
    assert states == [cell.alarm_arn(alarm.name(cell)) for alarm in alarms]
    assert all(one["x"] + one["width"] <= WIDTH for one in body["widgets"])
    rule = find("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"].rule
    assert rule is not None
    assert rule(json.dumps(body)) is None
    assert link(HEARTBEAT) == "docs/runbook.md#healthcycles"
    assert all(says.endswith(".") for says in SAYS.values())


def may(cell: CellNames, role: str, action: str, key: str, *, policy: Document, own: Document = EVERYTHING) -> bool:
    """Whether a role with the identity policy `own` may, beside the bucket's `policy`."""
    session = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/work"
    caller = Caller("AssumedRole", session, cell.account_id, role)
    keys = {"aws:principalarn": role, "aws:principalaccount": cell.account_id, "aws:securetransport": "true"}
    asked = Request(action, f"{cell.health_bucket_arn}/{key}", keys)
    return decide(caller, asked, Policies(parse(own), resource=ResourcePolicy(parse(policy), cell.account_id))).allowed


def test_the_bucket_is_closed_before_anything_lies_in_it(build: Build, cell: CellNames) -> None:
    made = build(lambda: HealthStore("health", HealthStoreArgs(cell, [DEPLOYER], catalogue="{}")))
    catalogue = made.one("aws:s3/bucketObjectv2:BucketObjectv2")
    assert (catalogue.inputs["key"], CATALOGUE) == (store.CATALOGUE, store.CATALOGUE)
    for setting in ("bucketPolicy:BucketPolicy", "bucketPublicAccessBlock:BucketPublicAccessBlock"):
        assert made.reaches(catalogue, made.one(f"aws:s3/{setting}"))
    assert not made.of("aws:s3/bucketVersioning:BucketVersioning"), "a deleted declaration would stay"
    policy = json.loads(made.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    assert "OnlyByTls" in [one["Sid"] for one in policy["Statement"]]
    theirs = cell.tenant("acme").declaration
    for role in (cell.function_role_arn(HEALTH), DEPLOYER):
        assert may(cell, role, "s3:GetObject", theirs, policy=policy)
    record, sweep = object_name("acme", "cinnox"), cell.function_role_arn(SWEEP)
    assert may(cell, sweep, "s3:GetObject", record, policy=policy)
    assert may(cell, DEPLOYER, "s3:PutObject", record, policy=policy)
    assert not may(cell, sweep, "s3:PutObject", record, policy=policy), "a person confirms, and no function"
    assert not may(cell, cell.runtime_role_arn, "s3:GetObject", record, policy=policy)
    for role in (cell.function_role_arn(SWEEP), cell.runtime_role_arn, cell.role_arn("somebody")):
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert not may(cell, role, action, theirs, policy=policy), f"{role} is given everything, and may not"


def test_with_federation_the_runtime_reads_identities_and_nothing_else(cell: CellNames) -> None:
    policy = health_bucket(cell, deployers=[DEPLOYER], federation=True)
    runtime, acme = cell.runtime_role_arn, cell.tenant("acme")
    assert may(cell, runtime, "s3:GetObject", acme.identity, policy=policy)
    for key in (acme.declaration, CATALOGUE, STATE, object_name("acme", "cinnox")):
        assert not may(cell, runtime, "s3:GetObject", key, policy=policy), f"{key}, though it is given everything"
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not may(cell, runtime, action, acme.identity, policy=policy), "whoever writes it sends calls elsewhere"
    assert may(cell, DEPLOYER, "s3:PutObject", acme.identity, policy=policy)
    closed = health_bucket(cell, deployers=[DEPLOYER])
    assert not may(cell, runtime, "s3:GetObject", acme.identity, policy=closed), "and not where there is no federation"


def test_the_function_reads_declarations_and_writes_only_what_it_remembers(cell: CellNames) -> None:
    own, role = function_permissions(HEALTH, cell), cell.function_role_arn(HEALTH)
    nothing: Document = {"Version": "2012-10-17", "Statement": []}

    def can(action: str, key: str) -> bool:
        return may(cell, role, action, key, policy=nothing, own=own)

    declaration = cell.tenant("acme").declaration
    assert declaration == "declarations/acme.json"
    assert all(can("s3:GetObject", key) for key in (declaration, CATALOGUE, STATE))
    assert can("s3:PutObject", STATE)
    assert not any(can("s3:PutObject", key) for key in (declaration, CATALOGUE))
    assert not any(can("s3:DeleteObject", key) for key in (declaration, CATALOGUE, STATE))
    (sends,) = [one for one in own["Statement"] if one["Action"] == "sns:Publish"]
    assert sends["Resource"] == [cell.alarm_topic_arn]


def test_the_function_never_overlaps_itself_and_goes_before_its_bucket(
    build: Build, cell: CellNames, tmp_path: Path
) -> None:
    made = build(lambda: Platform("prod-eu1", arguments(cell, tmp_path)))
    function = made.one("aws:lambda/function:Function", "-health-function")
    assert function.inputs["reservedConcurrentExecutions"] == 1
    assert function.inputs["timeout"] == 600
    bucket = made.one("aws:s3/bucket:Bucket", "-health-store-bucket")
    assert made.reaches(function, bucket), "what it wrote after the bucket was emptied would keep the bucket"
    assert bucket.inputs["forceDestroy"] is True
    variables = function.inputs["environment"]["variables"]
    assert variables["MYFLUX_HEALTH_BUCKET"] == bucket.inputs["bucket"] == cell.health_bucket
    assert variables["MYFLUX_ALARM_TOPIC"] == cell.alarm_topic_arn
