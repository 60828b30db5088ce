"""Many secrets are due when the clock jumps: on AWS they rotate in windows of their own, and so none fails here.

The function has fewer executions than there are secrets; what Lambda throttles waits, as in Lambda's queue.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from local import rotations

DAY = 24 * 3600
MANY = 12


def test_all_rotate_in_the_order_of_their_windows_and_keep_their_slots(cell_with: Any) -> None:
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    cell.client("lambda").put_function_concurrency(FunctionName=rotator.arn, ReservedConcurrentExecutions=2)
    arns: list[str] = []
    in_ten_days = (datetime.now(UTC) + timedelta(days=10)).day
    day = in_ten_days if in_ten_days <= 28 else 5
    for number in range(MANY):
        arns.append(secrets.create_secret(Name=f"month/{number}", SecretString="first")["ARN"])
        hour = 23 - number
        rotator.rotate(
            f"month/{number}",
            RotationRules={"ScheduleExpression": f"cron(0 {hour} {day} * ? *)", "Duration": "1h"},
            RotateImmediately=False,
        )
    rotator.wait_until(lambda: all(len(rotator.steps(f"month/{n}")) == 1 for n in range(MANY)), "the test of each")
    before = [secrets.describe_secret(SecretId=arn)["NextRotationDate"] for arn in arns]
    cell.advance(31 * DAY)
    offset = float((cell.home / "clock").read_text())
    found = rotations.settled(cell.home, offset, 120, lambda _seen: None)
    assert (found.waiting, found.under_way, found.failed) == (0, 0, 0)
    assert all(rotator.events(arn) == ["RotationStarted", "RotationSucceeded"] for arn in arns)
    rotated = [secrets.describe_secret(SecretId=arn) for arn in arns]
    assert [one["NextRotationDate"].hour for one in rotated] == [moment.hour for moment in before], "its slot is kept"
    assert rotated[-1]["LastRotatedDate"] < rotated[0]["LastRotatedDate"], "the earliest window is the first"


def test_a_rotation_that_no_execution_is_free_for_waits_and_ends(cell_with: Any, name: str) -> None:
    cell, rotator = cell_with()
    secrets, functions = cell.client("secretsmanager"), cell.client("lambda")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    functions.put_function_concurrency(FunctionName=rotator.arn, ReservedConcurrentExecutions=0)
    rotator.rotate(name)
    # Longer than the five attempts of a rotation that fails.
    time.sleep(1.5)
    assert rotator.events(arn) == ["RotationStarted"], "a throttled call is no failed attempt"
    functions.delete_function_concurrency(FunctionName=rotator.arn)
    rotator.wait(arn, "RotationSucceeded")


def test_what_stays_throttled_fails_in_the_end(cell_with: Any, name: str) -> None:
    cell, rotator = cell_with(MYFLUX_LOCAL_THROTTLED_SECONDS="0.2", MYFLUX_LOCAL_ROTATION_ATTEMPTS="1")
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    cell.client("lambda").put_function_concurrency(FunctionName=rotator.arn, ReservedConcurrentExecutions=0)
    rotator.rotate(name)
    rotator.wait(arn, "RotationFailed")


def test_days_are_counted_from_the_window_and_not_from_the_jump(cell_with: Any, name: str) -> None:
    """Else a month's jump would put all secrets of a fleet into one day."""
    cell, rotator = cell_with()
    secrets = cell.client("secretsmanager")
    arn = secrets.create_secret(Name=name, SecretString="first")["ARN"]
    rotator.rotate(name, RotationRules={"ScheduleExpression": "rate(10 days)"})
    rotator.wait(arn, "RotationSucceeded")
    due = secrets.describe_secret(SecretId=name)["NextRotationDate"].timestamp()
    cell.advance(25 * DAY)
    rotator.wait(arn, "RotationSucceeded", 2)
    assert secrets.describe_secret(SecretId=name)["NextRotationDate"].timestamp() == due + 20 * DAY
    assert rotations.read(cell.home).failed == 0
