"""Rotations that people get in the way of, and rotations one after the other."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.script import Call
from tests.crash.stage import ATTEMPTS, Stage
from tests.crash.tenant import CURRENT, PENDING, Tenant

CALLS = 15
"""Calls to either service in the rotation of a secret that has a key, function warm between its steps."""


@pytest.fixture
def tenant(stage: Stage) -> Tenant:
    made = Tenant(stage)
    assert made.rotate() == [], "the first key"
    return made


def _interrupted(tenant: Tenant, index: int, meanwhile: Callable[[], None]) -> str:
    """A rotation in which `meanwhile` happens just before the call number `index`; waits until AWS calls no more."""
    ended = threading.Event()
    function, script = tenant.stage.function, tenant.stage.script

    def then(step: str, failure: str | None) -> None:
        if len(script.calls) > index:
            ended.set()

    function.forget()
    function.after = then
    script.begin(index, meanwhile=meanwhile)
    token = str(uuid.uuid4())
    tenant.start_rotation(ClientRequestToken=token)
    assert ended.wait(60), f"the rotation came to its call {index}: {script.calls}"
    _until_still(function.steps)
    function.after = lambda step, failure: None
    script.end()
    return token


def _until_still(steps: list[str]) -> None:
    """AWS waits 10 ms between two tries here, so a rotation without a call for 0.3 s is over."""
    seen, since = len(steps), time.monotonic()
    while time.monotonic() - since < 0.3:
        if len(steps) != seen:
            seen, since = len(steps), time.monotonic()
        time.sleep(0.01)


def test_three_rotations_in_a_row_leave_one_current_and_one_previous_key(tenant: Tenant) -> None:
    seen: list[str] = []
    for _ in range(3):
        assert tenant.rotate() == []
        assert tenant.broken() == []
        current = tenant.current()
        assert current is not None
        seen.append(current.key_id)
    assert len(set(seen)) == 3, "each rotation made a key of its own"
    assert set(tenant.lives()) == set(seen), "the live key, the previous one, one that readers may cache, and no other"


def test_rotate_immediately_false_tests_and_neither_mints_nor_moves_a_label(tenant: Tenant) -> None:
    before, keys = tenant.labels(), set(tenant.lives())
    tenant.stage.function.forget()
    tenant.start_rotation(RotateImmediately=False)
    end = time.monotonic() + 60
    while not tenant.stage.function.steps:
        assert time.monotonic() < end, "AWS calls the function"
        time.sleep(0.01)
    while tenant.labels() != before:
        assert time.monotonic() < end, "AWS takes the temporary version away once the step has ended"
        time.sleep(0.01)
    _until_still(tenant.stage.function.steps)
    assert tenant.stage.function.steps == ["testSecret"], "AWS runs this step alone"
    assert tenant.stage.function.failures == [], "a version that was never minted is no failure"
    assert tenant.labels() == before
    assert set(tenant.lives()) == keys
    assert tenant.rotate() == []
    assert tenant.broken() == []


@pytest.mark.parametrize("index", range(CALLS))
@pytest.mark.parametrize("way_out", ["taken up again", "label removed"])
def test_a_rotation_cancelled_before_any_call_is_no_outage_and_the_next_one_works(
    tenant: Tenant, index: int, way_out: str
) -> None:
    """AWS leaves AWSPENDING where it is. A person removes it, or rotates with the same token."""
    old = tenant.labels()[CURRENT]
    token = _interrupted(tenant, index, lambda: tenant.secrets.cancel_rotate_secret(SecretId=tenant.arn))
    assert tenant.outage() is None
    assert tenant.labels()[CURRENT] in (old, token)
    tenant.abandon()
    if way_out == "taken up again":
        assert tenant.rotate(token) == []
    elif tenant.labels().get(PENDING) == token != tenant.labels()[CURRENT]:
        label: dict[str, Any] = {"VersionStage": PENDING, "RemoveFromVersionId": token}
        tenant.secrets.update_secret_version_stage(SecretId=tenant.arn, **label)
    assert tenant.rotate() == []
    assert tenant.broken() == []


def test_a_rotation_taken_up_again_after_days_is_given_up_for_a_new_key(tenant: Tenant) -> None:
    """Its key has lost days that the interval needs: it would die before the next rotation. Its value never changes,
    so AWSPENDING must leave its version, or no rotation would ever work again."""
    token = _interrupted(tenant, CALLS - 3, lambda: tenant.secrets.cancel_rotate_secret(SecretId=tenant.arn))
    assert tenant.labels()[PENDING] == token != tenant.labels()[CURRENT], "cancelled with its key stored"
    tenant.stage.advance(5 * 86_400)
    failures = tenant.rotate(token)
    assert all("expires before the next rotation" in failure for failure in failures), "AWS reports the last one"
    assert len(failures) == ATTEMPTS
    assert PENDING not in tenant.labels()
    tenant.abandon()
    assert tenant.rotate() == []
    assert tenant.broken() == []


@pytest.mark.parametrize("index", range(CALLS))
def test_a_value_put_by_hand_before_any_call_stays_and_the_next_rotation_works(tenant: Tenant, index: int) -> None:
    """A person puts the old key back. AWS abandons the rotation; the function must not undo what the person did."""
    held = tenant.secrets.get_secret_value(SecretId=tenant.arn)["SecretString"]
    put: list[str] = []

    def by_hand() -> None:
        put.append(tenant.secrets.put_secret_value(SecretId=tenant.arn, SecretString=held)["VersionId"])

    _interrupted(tenant, index, by_hand)
    labels = tenant.labels()
    assert labels[CURRENT] == put[0], "what the person put is the live version"
    assert tenant.outage() is None
    assert labels.get(PENDING) in (None, put[0]), "an abandoned rotation does not block the next one"
    tenant.abandon()
    assert tenant.rotate() == []
    assert tenant.broken() == []


def test_every_call_of_a_rotation_was_interrupted_above(tenant: Tenant) -> None:
    tenant.stage.script.begin()
    assert tenant.rotate() == []
    tenant.stage.script.end()
    calls: list[Call] = tenant.stage.script.calls
    assert len(calls) == CALLS, f"CALLS is the number of these: {calls}"
