"""The admin key's rotation killed, refused or cut off at any of its calls, then repeated as Secrets Manager does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from functions.admin_rotation import mint
from functions.shared.openai_http import OpenAIError
from myflux_keys import names
from tests.admin_key.world import CELL, DAY, AdminWorld
from tests.functions.fake_secrets import PENDING, refusal
from tests.functions.world import Killed

MOMENTS = ("before", "after")
KEYS = "admin_api_keys"


def _strike(world: AdminWorld, index: int, moment: str, blow: Callable[[str], BaseException]) -> list[str]:
    """Arms one failure at the `index`-th external call from now; the list holds the call's name once it struck."""
    left, struck = [index], list[str]()

    def on_call(now: str, name: str) -> None:
        if struck or now != moment:
            return
        left[0] -= 1
        if left[0] < 0:
            struck.append(name)
            raise blow(name)

    world.secrets.on_call = world.on_openai = on_call
    return struck


@pytest.mark.parametrize("again", [False, True], ids=["by hand", "rotated"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rotation_killed_around_any_call_is_whole_after_its_repeat(
    new_world: Callable[..., AdminWorld], moment: str, again: bool
) -> None:
    calls, index = set[str](), 0
    while True:
        world = new_world()
        if again:
            world.rotate()
            world.restart()
        before = world.current()
        struck = _strike(world, index, moment, lambda _: Killed())
        world.secrets.calls.clear()
        world.openai_calls.clear()
        token = world.rotate("token-2", attempts=2)
        world.secrets.on_call = world.on_openai = lambda moment, name: None
        world.check(token)
        assert world.accepted(before), "the key before is valid whatever happened: functions still hold it"
        if not struck:
            break
        calls.add(struck[0].split("/")[0])
        index += 1
        world.control.reset()
        world.control.settings(admin_requests_per_minute=0)
    assert index == len(world.secrets.calls) + len(world.openai_calls), "every call of a rotation was struck"
    assert {"PutSecretValue", "UpdateSecretVersionStage", "GET ", "POST ", "DELETE "} <= calls, calls


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rotation_abandoned_at_any_call_leaves_no_key_beyond_its_expiry_and_none_after_the_tidying(
    new_world: Callable[..., AdminWorld], advance: Callable[[float], None], moment: str
) -> None:
    index = 0
    while True:
        world = new_world()
        struck = _strike(world, index, moment, lambda _: Killed())
        with contextlib.suppress(Killed):
            world.rotate("token")
        world.secrets.on_call = world.on_openai = lambda moment, name: None
        assert all(
            key.expires_at is not None
            for key in world.live().values()
            if key.name == names.admin_key_name(CELL, "token")
        ), "a key that nobody knows of has its death on record"
        if not struck:
            break
        # Secrets Manager gave up, and a person cleared the label away.
        world.secrets.labels.pop(PENDING, None)
        advance(3 * DAY)
        world.restart()
        world.tidy()
        assert len(world.live()) == 1, f"after {struck[0]} one key lives on: the one that is AWSCURRENT"
        assert world.accepted(world.current())
        index += 1
        world.control.reset()
        world.control.settings(admin_requests_per_minute=0)
    assert index >= 10


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rotation_that_aws_refuses_at_any_call_is_whole_after_its_repeat(
    new_world: Callable[..., AdminWorld], moment: str
) -> None:
    """`after` is a call that AWS applied and whose answer was lost to every retry of botocore."""
    index = 0
    while True:
        world = new_world()
        left, struck = [index], list[str]()

        def on_call(now: str, name: str, left: list[int] = left, struck: list[str] = struck) -> None:
            if now == moment and not struck:
                left[0] -= 1
                if left[0] < 0:
                    struck.append(name)
                    raise refusal(name, "InternalServiceError")

        world.secrets.on_call = on_call
        world.check(world.rotate("token", attempts=2))
        if not struck:
            break
        index += 1
        world.control.reset()
        world.control.settings(admin_requests_per_minute=0)
    assert index >= 7, "every call to Secrets Manager was struck once"


@pytest.mark.parametrize("fault", ["500", "429", "dropped", "dropped_after_apply", "truncated", "timeout"])
@pytest.mark.parametrize(("method", "path"), [("GET", KEYS), ("POST", KEYS), ("DELETE", KEYS)])
def test_a_rotation_whose_openai_calls_fail_is_whole_after_its_repeat(
    world: AdminWorld, monkeypatch: pytest.MonkeyPatch, fault: str, method: str, path: str
) -> None:
    if fault == "timeout" and method != "POST":
        fault = "slow"
    monkeypatch.setattr(mint, "MINT_SECONDS", 0.3)
    for after in (False, True) if fault in ("500", "timeout") else (fault in ("dropped_after_apply", "truncated"),):
        world.control.fault(
            fault, method=method, path=path, seconds=0.6 if fault in ("timeout", "slow") else None, after=after
        )
        world.check(world.rotate(attempts=3))
        assert not world.control.faults(), f"{method} {path} was struck"


def test_a_mint_whose_answer_is_lost_leaves_no_key_and_is_never_repeated(world: AdminWorld) -> None:
    world.control.fault("dropped_after_apply", method="POST", path=KEYS)
    with pytest.raises(OpenAIError, match="the answer is incomplete"):
        world.rotate("token")
    assert [key.name for key in world.live().values()] == ["made by hand"], "it was looked up by name and ended"
    assert len([call for call in world.openai_calls if call.startswith("POST")]) == 1


def test_a_put_that_is_refused_for_good_ends_the_key(world: AdminWorld) -> None:
    def refuse(now: str, name: str) -> None:
        if (now, name) == ("before", "PutSecretValue"):
            raise refusal(name, "AccessDeniedException")

    world.secrets.on_call = refuse
    with pytest.raises(Exception, match="AccessDenied"):
        world.rotate()
    assert [key.name for key in world.live().values()] == ["made by hand"]


def test_a_key_that_may_or_may_not_be_stored_is_left_for_the_repeat(world: AdminWorld) -> None:
    silent = [False]

    def fall_silent(now: str, name: str) -> None:
        if (now, name) == ("after", "PutSecretValue"):
            silent[0] = True
        if silent[0]:
            raise refusal(name, "InternalServiceError")

    world.secrets.on_call = fall_silent
    with pytest.raises(Exception, match="unknown"):
        world.rotate("token")
    assert len(world.live()) == 2, "the secret holds it: ending it would be an outage at promotion"
    world.secrets.on_call = lambda moment, operation: None
    world.restart()
    world.check(world.rotate("token"))
