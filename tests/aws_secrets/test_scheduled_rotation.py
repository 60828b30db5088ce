"""Secrets rotate by themselves when the cell's clock reaches their window.

Cells of their own, because they move the clock. https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

DAY = 24 * 3600


def test_a_cron_schedule_rotates_again_and_again(cell_with: Any, name: str) -> None:
    """Each window rotates once, inside the window, and DescribeSecret tells the next."""
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name, RotationRules={"ScheduleExpression": "cron(0 3 * * ? *)", "Duration": "2h"})
    rotator.wait(arn, "RotationSucceeded")
    for count in range(2, 5):
        due = secrets.describe_secret(SecretId=name)["NextRotationDate"].timestamp()
        assert datetime.fromtimestamp(due, UTC).strftime("%H:%M") == "05:00", "the window's end"
        cell.advance(due - 2 * 3600 - cell.now() - 300)
        time.sleep(0.8)
        assert len(rotator.events(arn)) == 2 * (count - 1), "not before the window opens"
        cell.advance(310)
        rotator.wait(arn, "RotationSucceeded", count)
        described = secrets.describe_secret(SecretId=name)
        assert due - 2 * 3600 <= described["LastRotatedDate"].timestamp() <= due
        assert described["NextRotationDate"].timestamp() == due + DAY
        assert described["RotationRules"]["AutomaticallyAfterDays"] == 1, "worked out after a success"
    tokens = {call["ClientRequestToken"] for call in rotator.calls(name)}
    assert len(tokens) == 4, "each rotation has a token of its own"


def test_a_failed_scheduled_rotation_is_overdue_and_tried_again_in_the_next_window(cell_with: Any, name: str) -> None:
    """ "If rotation is unsuccessful, this date may be in the past" (NextRotationDate)."""
    cell, rotator = cell_with(MYFLUX_LOCAL_ROTATION_ATTEMPTS="2")
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name, RotationRules={"ScheduleExpression": "rate(7 days)"}, RotateImmediately=False)
    rotator.wait_until(lambda: rotator.steps(name) == ["testSecret"], "the test of the configuration")
    rotator.tell(name, fail={"setSecret": 2})
    due = secrets.describe_secret(SecretId=name)["NextRotationDate"]
    cell.advance(7 * DAY)
    rotator.wait(arn, "RotationFailed")
    token = rotator.calls(name)[-1]["ClientRequestToken"]
    cell.advance(DAY)
    time.sleep(0.8)
    assert secrets.describe_secret(SecretId=name)["NextRotationDate"] == due, "overdue"
    assert rotator.events(arn) == ["RotationStarted", "RotationFailed"], "it waits for its next window"
    cell.advance(6 * DAY)
    rotator.wait(arn, "RotationSucceeded")
    described = secrets.describe_secret(SecretId=name)
    assert described["VersionIdsToStages"][token] == ["AWSPENDING", "AWSCURRENT"], "the stuck rotation, taken up again"
    assert described["NextRotationDate"] > due


def test_a_schedule_that_is_off_or_deleted_does_not_rotate(cell_with: Any, name: str) -> None:
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    for suffix in ("cancelled", "deleted"):
        arn = secrets.create_secret(Name=f"{name}-{suffix}", SecretString="first")["ARN"]
        rotator.rotate(f"{name}-{suffix}")
        rotator.wait(arn, "RotationSucceeded")
    secrets.cancel_rotate_secret(SecretId=f"{name}-cancelled")
    secrets.delete_secret(SecretId=f"{name}-deleted", RecoveryWindowInDays=30)
    cell.advance(29 * DAY)
    cell.advance(2 * DAY - 3600)
    time.sleep(0.8)
    assert len(rotator.steps(f"{name}-cancelled")) == 4
    assert len(rotator.steps(f"{name}-deleted")) == 4


def test_a_value_put_in_by_hand_counts_as_a_rotation(cell_with: Any, name: str) -> None:
    """AutomaticallyAfterDays: "Manually updating the secret value by calling PutSecretValue or UpdateSecret is
    considered a valid rotation." https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
    """
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    due = secrets.describe_secret(SecretId=name)["NextRotationDate"].timestamp()
    cell.advance(10 * DAY)
    secrets.put_secret_value(SecretId=name, SecretString="by hand")
    assert secrets.describe_secret(SecretId=name)["NextRotationDate"].timestamp() == due + 10 * DAY


def test_without_the_rotation_token_setting_the_event_has_none(cell_with: Any, name: str) -> None:
    """The event of AWS's older pages; the function must not depend on the token."""
    cell, rotator = cell_with(MYFLUX_LOCAL_ROTATION_TOKEN="0")
    arn = cell.client("secretsmanager").create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name)
    rotator.wait(arn, "RotationSucceeded")
    assert all("RotationToken" not in call for call in rotator.calls(name))


def test_with_the_other_labelling_the_first_version_is_pending_until_it_is_finished(cell_with: Any, name: str) -> None:
    """AWS's reference says that the first version becomes AWSCURRENT at once; not every user has seen that."""
    cell, rotator = cell_with(MYFLUX_LOCAL_FIRST_VERSION_CURRENT="0")
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name)["ARN"]
    rotator.tell(name, hold="testSecret")
    token = rotator.rotate(name)
    rotator.wait_until(lambda: "testSecret" in rotator.steps(name), "the third step")
    assert secrets.describe_secret(SecretId=name)["VersionIdsToStages"] == {token: ["AWSPENDING"]}
    rotator.tell(name)
    rotator.wait(arn, "RotationSucceeded")
    assert secrets.get_secret_value(SecretId=name)["VersionId"] == token
