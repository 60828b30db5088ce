"""The proof of an upgrade can fail: what it must find is found, and what may change is let through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.report import CheckFailed
from tests.upgrade import standing, version

URN = "urn:pulumi:acme.local::myflux-keys::myflux:index:TenantKey$"
SECRET = f"{URN}aws:secretsmanager/secret:Secret::acme-secret"
ALARM = f"{URN}aws:cloudwatch/metricAlarm:MetricAlarm::acme-alarm"
BEFORE = {SECRET: "arn:1", "role myflux-local-runtime": "AROA1", "key key_1": "valid"}


def test_what_is_the_same_and_what_was_added_pass() -> None:
    assert standing.unchanged(BEFORE, {**BEFORE, ALARM: "new"}) == len(BEFORE)


@pytest.mark.parametrize(
    "after",
    [
        {**BEFORE, SECRET: "arn:2"},
        {**BEFORE, "role myflux-local-runtime": "AROA2"},
        {name: id for name, id in BEFORE.items() if name != "key key_1"},
    ],
    ids=["another secret", "a role made anew under its name", "a key that was ended"],
)
def test_another_thing_under_the_same_name_and_one_that_is_gone_fail(after: dict[str, str]) -> None:
    with pytest.raises(CheckFailed):
        standing.unchanged(BEFORE, after)


def test_only_what_the_upgrade_added_may_go_with_the_step_back() -> None:
    upgraded = {**BEFORE, ALARM: "new", "key key_2": "valid"}
    assert standing.unchanged(upgraded, {**BEFORE, "key key_2": "valid"}, may_go=BEFORE) == len(BEFORE) + 1
    with pytest.raises(CheckFailed, match="key key_2 was valid, is gone"):
        standing.unchanged(upgraded, BEFORE, may_go=BEFORE)


@pytest.mark.parametrize("operation", sorted(standing.REPLACED | standing.DELETED))
def test_a_secret_may_not_be_replaced_or_deleted_and_an_alarm_may(operation: str) -> None:
    with pytest.raises(CheckFailed, match="acme-secret"):
        standing.nothing_replaced([(operation, SECRET), ("same", ALARM)], BEFORE)
    assert standing.nothing_replaced([(operation, ALARM), ("update", SECRET)], BEFORE) == [f"{operation} acme-alarm"]


def test_a_policy_that_the_upgrade_added_may_be_deleted_with_the_step_back_and_is_never_replaced() -> None:
    added = SECRET.replace("secretsmanager/secret:Secret", "iam/policy:Policy")
    assert standing.nothing_replaced([("delete", added)], BEFORE) == ["delete acme-secret"]
    with pytest.raises(CheckFailed, match="replace"):
        standing.nothing_replaced([("replace", added)], BEFORE)


def test_both_forms_of_the_engines_events_are_read_and_no_earlier_ones(tmp_path: Path) -> None:
    """The engine's own log, and the SDK's. A record of a run, beside them, is none."""
    told = {"metadata": {"op": "update", "urn": SECRET}}
    lines = [{"resourcePreEvent": told}, {"resource_pre_event": told}, {"stdoutEvent": {}}]
    log = tmp_path / "logs" / "acme.local.up.jsonl"
    (tmp_path / "up-0123456789ab.jsonl").write_text("", encoding="utf-8")
    log.parent.mkdir()
    log.write_text("".join(json.dumps(line | {"timestamp": 9}) + "\n" for line in lines) + '{"cut', encoding="utf-8")
    assert standing.steps(tmp_path, 8.5) == [("update", SECRET)] * 2
    assert standing.steps(tmp_path, 9.5) == []


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("v0.10.0\nv0.9.0\n", "v0.10.0"),
        ("nightly\nv1.0.0-rc1\nv0.9.0\n", "v0.9.0"),
        ("", version.BEFORE_RELEASES),
    ],
)
def test_the_previous_version_is_the_newest_release(tags: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "git", lambda *arguments: tags)
    assert version.previous() == expected
