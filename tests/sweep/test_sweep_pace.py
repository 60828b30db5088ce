"""A sweep's turns beside the cell's rotations, by a clock that only waiting moves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from functions.shared.deadline import Deadline
from functions.shared.secrets_manager import SecretState
from functions.sweep import pace as paces
from functions.sweep.pace import Pace
from functions.sweep.tenants import TenantSecret
from myflux_keys.admin_budget import WINDOW_SECONDS
from tests.actions.stand_ins import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def services(clock: Clock, seconds: float = 900) -> Any:
    deadline = Deadline(seconds, monotonic=clock.now, sleep=clock.sleep)
    return SimpleNamespace(now=clock.now, deadline=deadline, secrets=None, environment=SimpleNamespace(cell="local"))


def rotating(count: int, at: float) -> list[TenantSecret]:
    stages = {"live": frozenset({"AWSCURRENT"}), "next": frozenset({"AWSPENDING"})}
    state = SecretState(name="", tags={}, rotation_enabled=True, stages=stages, changed_at=at)
    return [TenantSecret("", f"tenant-{number}", state, None, None) for number in range(count)]


def test_what_fits_into_a_minute_is_done_at_once(clock: Clock) -> None:
    pace, began = Pace(services(clock), [], tenants=7), clock.time
    assert all(pace.wait(keep=30) for _ in range(6))
    assert clock.time == began


def test_more_goes_at_an_even_pace_of_seven_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "tenant_secrets", lambda client, cell: [])
    pace, looks = Pace(services(clock), [], tenants=8), [clock.time]
    while pace.wait(keep=30) and len(looks) < 40:
        looks.append(clock.time)
    assert max(sum(first <= at < first + 60 for at in looks) for first in looks) == 7


def test_a_sweep_makes_room_for_rotations_and_takes_it_back_when_they_are_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces, "tenant_secrets", lambda client, cell: rotating(5, began))
    began = clock.time
    pace, looks = Pace(services(clock), rotating(5, began), tenants=200), list[float]()
    while pace.wait(keep=30) and len(looks) < 20:
        looks.append(clock.time)
    assert sum(at < began + WINDOW_SECONDS for at in looks) <= 2, "five of the seven turns are the rotations'"
    later = [at for at in looks if at > began + 2 * WINDOW_SECONDS]
    assert later[1] - later[0] == pytest.approx(WINDOW_SECONDS / 7), "what has ended no longer weighs"


def test_it_ends_rather_than_wait_without_time_for_another_tenant(clock: Clock) -> None:
    pace = Pace(services(clock, seconds=35), [], tenants=100)
    assert not pace.wait(keep=30)
