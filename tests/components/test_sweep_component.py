"""The sweep's schedule, what its role may do, and an alarm for each number that it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.iam import identity
from components.iam.boundary import permissions_boundary
from components.sweep import Sweep, SweepArgs, schedule
from components.sweep_alarms import ALARMS
from functions.sweep import due, metrics, orphans, sweep
from functions.sweep.request import SweepRequest, read_request
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import SWEEP
from myflux_keys.consumers import CONSUMERS
from myflux_keys.names import METRICS

Build = Callable[[Callable[[], Any]], Any]
ROOT = Path(__file__).resolve().parents[2]
TOPIC = "arn:aws:sns:eu-central-1:111122223333:topic"


@pytest.fixture(scope="module")
def recorded(build: Build, cell: CellNames) -> Any:
    return build(lambda: Sweep("sweeping", SweepArgs(cell, cell.function_arn(SWEEP), TOPIC)))


def test_the_schedule_asks_for_what_the_function_understands(recorded: Any, cell: CellNames) -> None:
    event = json.loads(recorded.one("aws:cloudwatch/eventTarget:EventTarget").inputs["input"])
    assert read_request(event) == SweepRequest(due=True), "those whose turn it is, and nothing that a person asks for"
    permission = recorded.one("aws:lambda/permission:Permission")
    assert permission.inputs["principal"] == "events.amazonaws.com"
    assert permission.inputs["sourceAccount"] == cell.account_id
    assert permission.inputs["sourceArn"].endswith("sweeping-rule"), "only this rule may call it"
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget")
    assert recorded.reaches(target, permission), "a run before the permission would be lost"


def test_each_half_hour_of_the_calendar_has_one_run() -> None:
    minutes = set()
    for number in range(200):
        found = re.fullmatch(r"cron\((\d+)/30 \* \* \* \? \*\)", schedule(f"cell-{number}"))
        assert found, "EventBridge's cron: minutes, hours, day of month, month, day of week, year"
        minute = int(found[1])
        assert 0 <= minute < due.SLOT_SECONDS // 60, "the second run is in the hour's second half"
        minutes.add(minute)
    assert len(minutes) > 20, "cells don't all start in the same minute"


def test_every_number_that_the_sweep_tells_has_an_alarm_that_reaches_the_topic(recorded: Any, cell: CellNames) -> None:
    alarms = recorded.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    source = (ROOT / "functions" / "sweep" / "sweep.py").read_text(encoding="utf-8")
    told = set(metrics.OF_FINDINGS.values()) | {*orphans.KINDS} | set(re.findall(r'Datum\("(\w+)"', source))
    assert sweep.Datum is metrics.Datum
    assert len(told) >= 10, "the source was read for names and must hold some"
    assert {alarm.inputs["metricName"] for alarm in alarms} == told
    for alarm in alarms:
        assert alarm.inputs["namespace"] == METRICS
        assert alarm.inputs["dimensions"]["Cell"] == cell.cell
        assert alarm.inputs["alarmActions"] == [TOPIC]
        assert alarm.inputs["period"] * alarm.inputs["evaluationPeriods"] <= 86_400, (
            "CloudWatch looks back a day at most"
        )


def test_an_old_key_in_use_names_its_consumer(recorded: Any) -> None:
    alarms = recorded.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    of_use = [alarm.inputs for alarm in alarms if alarm.inputs["metricName"] == "OldKeyStillUsed"]
    assert {alarm["dimensions"]["Consumer"] for alarm in of_use} == {one.name for one in CONSUMERS}
    for alarm in of_use:
        assert alarm["dimensions"]["Consumer"] in alarm["name"]
        assert alarm["dimensions"]["Consumer"] in alarm["alarmDescription"]


def test_silence_of_the_sweep_is_an_alarm_and_silence_of_findings_is_not() -> None:
    assert {alarm.metric for alarm in ALARMS if alarm.silence == "breaching"} == {"SweepUnfinished"}


def test_the_sweep_writes_no_secret_and_no_other_numbers(cell: CellNames) -> None:
    statements = identity.function_permissions(SWEEP, cell)["Statement"]
    actions = {
        action for s in statements for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert not {a for a in actions if a.startswith("secretsmanager:") and re.search(r":(Put|Update|Delete|Tag|Rot)", a)}
    assert "kms:GenerateDataKey" not in actions, "it encrypts nothing"
    everywhere = [s for s in statements if s["Resource"] == "*"]
    assert {s["Sid"] for s in everywhere} == {"FindTenants", "TellNumbers"}, "AWS takes nothing narrower for these two"
    (numbers,) = [s for s in statements if s["Sid"] == "TellNumbers"]
    assert numbers["Condition"] == {"StringEquals": {"cloudwatch:namespace": METRICS}}


def test_the_boundary_lets_the_sweep_work(cell: CellNames) -> None:
    def inside(action: str) -> dict[str, Any]:
        (found,) = [s for s in permissions_boundary(cell)["Statement"] if action in s["Action"]]
        return found

    assert inside("secretsmanager:ListSecrets")["Resource"] == "*"
    assert inside("secretsmanager:ListSecretVersionIds")["Resource"] == list(cell.secrets_arn_patterns)
    assert inside("cloudwatch:PutMetricData")["Condition"] == {"StringEquals": {"cloudwatch:namespace": METRICS}}
    assert any(cell.sweep_function in stream for stream in inside("logs:PutLogEvents")["Resource"])
