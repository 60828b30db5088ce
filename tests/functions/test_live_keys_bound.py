"""However often a tenant's key is rotated, few keys live, and a replaced one lives as long as readers may cache it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from myflux_keys.key_life import READER_CACHE_SECONDS
from tests.functions.fake_secrets import PENDING, refusal
from tests.functions.world import OVERLAP, Killed, World

HOUR = 3600
SLACK = 60


def _rotate(world: World, times: int = 1) -> list[str]:
    """Ids of the keys that were live one after the other."""
    made: list[str] = []
    for _ in range(times):
        world.rotate(cold=True)
        made.append(world.payload().key_id)
    return made


def _left(world: World) -> dict[str, float]:
    """Seconds that each live key has left, by id."""
    now = world.control.state()["now"]
    return {key.id: (key.expires_at or float("inf")) - now for key in world.live_keys().values()}


def _extend(world: World, key_id: str, seconds: int) -> None:
    """What the sweep does for an old key that is in use: it is used late, and gets another overlap."""
    assert world.accepted(next(world.payload(v).api_key for v in world.secrets.values if _holds(world, v, key_id)))
    path = f"/organization/projects/{world.project_id}/api_keys/{key_id}"
    world.api().send("POST", path, body={"expires_in_seconds": seconds})


def _by_hand(world: World, version: str, value: str) -> None:
    """A person's PutSecretValue. AWS takes AWSPENDING off the version before."""
    world.secrets.labels.pop(PENDING, None)
    world.secrets.put_by_hand(version, value)


def _holds(world: World, version: str, key_id: str) -> bool:
    return key_id in (world.secrets.values[version] or "")


def test_many_forced_rotations_leave_the_live_key_the_previous_one_and_one_for_caches(world: World) -> None:
    most = [0]

    def count(moment: str, call: str) -> None:
        if moment == "after":
            most[0] = max(most[0], len(world.live_keys()))

    world.on_openai = count
    made = _rotate(world, 12)
    left = _left(world)
    assert set(left) == set(made[-3:]), "the live one, the previous one, and the one before it"
    assert OVERLAP - SLACK <= left[made[-2]] <= OVERLAP + SLACK, "the previous key is on its overlap"
    assert READER_CACHE_SECONDS - SLACK <= left[made[-3]] <= READER_CACHE_SECONDS + SLACK, (
        "cut short, but not for caches"
    )
    assert most[0] <= 3, "what has no place left ends before another key is made"


def test_a_rotation_after_the_overlap_ends_no_key_early(world: World, advance: Callable[[float], None]) -> None:
    first, second = _rotate(world, 2)
    advance(OVERLAP + SLACK)
    world.openai_calls.clear()
    third = _rotate(world)[0]
    assert set(_left(world)) == {second, third}
    assert first not in "".join(world.openai_calls)
    assert not [call for call in world.openai_calls if call.startswith("DELETE")], "a usual rotation has no call more"


def test_a_usual_rotation_makes_one_admin_call_to_each_of_three_endpoints(
    world: World, advance: Callable[[float], None]
) -> None:
    """What `myflux_keys/admin_budget.py` counts on: so a rotation takes one turn of a minute."""
    _rotate(world, 2)
    advance(OVERLAP + SLACK)
    world.openai_calls.clear()
    world.rotate()
    listing, minting, expiring = [call for call in world.openai_calls if "/organization/" in call]
    assert listing.startswith("GET ")
    assert listing.partition("?")[0].endswith("/api_keys")
    assert minting.startswith("POST ")
    assert minting.endswith(f"{world.account_id}/api_keys")
    assert expiring.startswith("POST ")
    assert "/api_keys/" in expiring
    advance(OVERLAP + SLACK)
    world.openai_calls.clear()
    world.rotate(cold=True)
    listings = [call for call in world.openai_calls if call.partition("?")[0] == listing.partition("?")[0]]
    assert len(listings) == 2, "another instance at each step knows less, and asks once more"


def test_a_key_that_the_sweep_extended_outlives_further_rotations(
    world: World, advance: Callable[[float], None]
) -> None:
    first = _rotate(world, 2)[0]
    advance(OVERLAP - HOUR)
    _extend(world, first, HOUR + OVERLAP)
    for count in (3, 4, 4):
        made = _rotate(world)[0]
        left = _left(world)
        assert first in left, "somebody needs it to hand the new key over"
        assert OVERLAP - SLACK <= left[first] <= OVERLAP + SLACK
        assert len(left) == count, f"it and {made}, the previous one, and one for caches"


def test_rotation_after_rotation_the_key_that_waits_for_its_hand_over_keeps_its_days_and_the_bound_holds(
    world: World, advance: Callable[[float], None]
) -> None:
    """Nobody was seen to use it since: a customer may be away. What the sweep does: functions/sweep/old_key.py."""
    waiting = _rotate(world)[0]
    advance(HOUR)
    assert world.accepted(world.payload().api_key), "it was live, and used"
    _rotate(world)
    path = f"/organization/projects/{world.project_id}/api_keys/{waiting}"
    for day in range(6):
        advance(OVERLAP - HOUR)
        left = _left(world)[waiting]
        world.api().send("POST", path, body={"expires_in_seconds": int(left) + OVERLAP})
        most = _left(world)[waiting]
        for _ in range(1 + day % 2):
            _rotate(world)
            left = _left(world)
            assert len(left) <= 4
            assert OVERLAP - SLACK <= left[waiting] <= most, "for as long as the next sweep needs, and not longer"
    advance(OVERLAP + SLACK)
    _rotate(world)
    assert waiting not in _left(world), "when the sweep extends it no more, it ends"


def test_cancelled_rotations_leave_no_row_of_keys(world: World) -> None:
    """A person removes AWSPENDING each time, so that no finishSecret ever shortens what was made."""
    live = _rotate(world)[0]
    for number in range(6):
        world.secrets.begin_rotation(f"cancelled-{number}")
        world.step("createSecret", f"cancelled-{number}")
        del world.secrets.labels[PENDING]
        assert len(_left(world)) <= 3
    assert live in _left(world)
    world.check(world.rotate(), *_left(world))


@pytest.mark.parametrize("text", ["the version's JSON", "the bare key", "a JSON of their own"])
def test_an_old_key_that_a_person_put_back_is_not_ended(world: World, text: str) -> None:
    _rotate(world, 2)
    first = next(iter(world.secrets.values))
    payload = world.payload(first)
    bare = payload.api_key.reveal()
    values = {"the version's JSON": world.secrets.values[first], "the bare key": bare}
    _by_hand(world, "by-hand", values.get(text) or json.dumps({"key": bare}))
    _by_hand(world, "by-hand-again", values.get(text) or json.dumps({"key": bare, "again": True}))
    world.secrets.begin_rotation("stopped")
    world.step("createSecret", "stopped")
    assert world.accepted(payload.api_key), "it is the live key while another is made"
    del world.secrets.labels[PENDING]
    _rotate(world)
    assert payload.key_id in _left(world), "and the previous one afterwards"
    assert world.accepted(payload.api_key)


def test_a_key_whose_successor_a_person_stored_is_left_for_the_caches(world: World) -> None:
    old = _rotate(world, 2)[-1]
    for number in range(2):
        _by_hand(world, f"by-hand-{number}", "a customer's own key")
    _rotate(world)
    assert _left(world)[old] >= READER_CACHE_SECONDS - SLACK


def test_a_key_that_cannot_be_ended_stops_the_rotation_before_it_mints(world: World) -> None:
    made = _rotate(world, 3)
    world.control.fault("500", method="DELETE", path=f"/api_keys/{made[0]}$", count=3)
    with pytest.raises(Exception, match="500"):
        world.rotate("token-next")
    assert set(_left(world)) == set(made), "no key more, and the live one is untouched"
    world.check(world.rotate("token-next"), *made)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_rotations_killed_around_any_call_inside_the_overlap_keep_the_bound(
    new_world: Callable[..., World], moment: str
) -> None:
    index, calls = 0, 1
    while index < calls:
        world = new_world()
        held = _rotate(world, 3)
        left = [index]

        def blow(now: str, name: str, left: list[int] = left) -> None:
            if now == moment:
                left[0] -= 1
                if left[0] == -1:
                    raise Killed

        world.secrets.calls.clear()
        world.openai_calls.clear()
        world.secrets.on_call = world.on_openai = blow
        token = world.rotate("token-struck", attempts=2, cold=True)
        world.secrets.on_call = world.on_openai = lambda moment, name: None
        calls = max(calls, len(world.secrets.calls) + len(world.openai_calls))
        world.check(token, *held)
        assert len(_left(world)) <= 4
        held.append(world.payload().key_id)
        world.check(world.rotate(), *held)
        index += 1
    assert calls >= 15


def test_each_repeat_of_a_rotation_that_was_given_up_tells_the_reason(
    world: World, advance: Callable[[float], None]
) -> None:
    """AWS repeats it with the same token, and reports the last failure."""
    _rotate(world)
    world.secrets.begin_rotation("stale")
    world.step("createSecret", "stale")
    advance(5 * 86_400)
    told: list[str] = []
    for _ in range(5):
        world.restart()
        with pytest.raises(Exception) as caught:
            world.step("createSecret", "stale")
        told.append(str(caught.value))
    assert PENDING not in world.secrets.labels
    assert all("expires before the next rotation" in text for text in told), told
    assert all("otate again for a new" in text for text in told), "and what to do"


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_every_step_refuses_a_token_that_belongs_to_no_version(world: World, step: str) -> None:
    _rotate(world)
    world.openai_calls.clear()
    with pytest.raises(Exception, match="has no version nobodys"):
        world.step(step, "nobodys")
    assert not world.openai_calls


@pytest.mark.parametrize("step", ["setSecret", "testSecret"])
def test_a_step_that_changes_nothing_refuses_a_rotation_that_is_over_too(world: World, step: str) -> None:
    first = world.rotate()
    world.rotate()
    with pytest.raises(Exception, match="its rotation is over"):
        world.step(step, first)


def test_a_secret_that_cannot_be_read_ends_no_key(world: World) -> None:
    """Whose key the previous version holds is then unknown."""
    held = _rotate(world, 2)
    _by_hand(world, "by-hand", "a value of their own")

    def deny(now: str, name: str) -> None:
        if (now, name) == ("before", "GetSecretValue") and denied:
            raise refusal(name, "AccessDeniedException")

    denied = True
    world.secrets.on_call = deny
    with pytest.raises(Exception, match="AccessDenied"):
        world.rotate("token-next")
    assert set(_left(world)) == set(held)
    denied = False
    world.check(world.rotate("token-next"), *held)
