"""A rotation from its first key on, with everything in order and with what people and OpenAI may do in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import pytest

from functions.rotation.proof import ProofFailed
from functions.shared.openai_http import OpenAIError
from functions.shared.rotation_guard import RotationError
from tests.functions.fake_secrets import CURRENT, PENDING, PREVIOUS
from tests.functions.world import OVERLAP, STEPS, World


@pytest.mark.parametrize("first_is_current", [True, False], ids=["current-at-once", "pending-only"])
def test_the_first_rotation_fills_an_empty_secret(new_world: Callable[..., World], first_is_current: bool) -> None:
    world = new_world(first_is_current=first_is_current)
    token = world.rotate()
    world.check(token)
    payload, keys = world.payload(), world.live_keys()
    assert list(keys) == [payload.key_id], "one key was minted and no other lives"
    key = keys[payload.key_id]
    assert key.name == f"myflux-local-{world.tenant}-{token}", "a retry finds the key by the rotation's token"
    assert key.expires_at == key.created_at + (30 * 24 + 24 + 72) * 3600, "interval, overlap and 72 hours of margin"
    assert datetime.fromisoformat(payload.expires_at).timestamp() == key.expires_at, "times are OpenAI's own"
    assert payload.models == ("gpt-5-mini", "gpt-5"), "the default model comes first"
    assert payload.base_url == world.url


def test_the_old_key_lives_for_the_overlap_and_then_dies(world: World, advance: Callable[[float], None]) -> None:
    world.rotate()
    old = world.payload()
    token = world.rotate()
    world.check(token, old.key_id)
    assert world.accepted(old.api_key), "calls in flight with the old key go on through the overlap"
    advance(OVERLAP + 5)
    assert not world.accepted(old.api_key), "after the overlap the old key is dead by its own expiry"
    assert world.accepted(world.payload().api_key)


def test_one_rotation_stays_within_its_calls(world: World) -> None:
    world.rotate()
    world.secrets.calls.clear()
    world.openai_calls.clear()
    world.restart()
    world.rotate()
    assert len(world.secrets.calls) <= 10, world.secrets.calls
    assert len(world.openai_calls) <= 5, world.openai_calls


def test_three_rotations_in_a_row_leave_current_and_previous_alone(world: World) -> None:
    held: list[str] = []
    for _ in range(3):
        world.check(world.rotate(cold=True), *held)
        held.append(world.payload().key_id)
    assert set(world.live_keys()) == set(held), "the two older keys live out their overlap, and there is no other"


def test_repeating_every_step_changes_nothing(world: World) -> None:
    world.rotate()
    old = world.payload().key_id
    token = world.rotate()
    before, labels = world.live_keys(), dict(world.secrets.labels)
    for step in STEPS:
        world.restart()
        world.step(step, token)
    assert world.secrets.labels == labels
    assert set(world.live_keys()) == set(before), "no key is made or ended by a repeat"
    assert world.live_keys()[old].expires_at == before[old].expires_at, "a repeat never lengthens the old key's life"


def test_a_repeated_finish_long_after_leaves_the_old_keys_death_where_it_was(
    world: World, advance: Callable[[float], None]
) -> None:
    world.rotate()
    old = world.payload().key_id
    advance(100)
    token = world.rotate()
    death = world.live_keys()[old].expires_at
    assert death is not None
    advance(OVERLAP / 2)
    world.restart()
    world.step("finishSecret", token)
    after = world.live_keys()[old].expires_at
    assert after is not None
    assert after <= death + 1, "expiry counts from the request, so a blind repeat would have given it twelve hours more"


def test_an_old_key_that_dies_sooner_is_left(world: World) -> None:
    world.rotate()
    old = world.payload().key_id
    world.api().send(
        "POST", f"/organization/projects/{world.project_id}/api_keys/{old}", body={"expires_in_seconds": 60}
    )
    death = world.live_keys()[old].expires_at
    world.rotate()
    assert world.live_keys()[old].expires_at == death


def test_rotation_without_rotating_at_once_neither_fails_nor_mints(world: World) -> None:
    world.secrets.begin_rotation("t-test")
    outcome = world.step("testSecret", "t-test")
    assert outcome["outcome"] == "never_minted"
    assert not world.live_keys()
    assert not world.openai_calls, "a version that was never minted costs no call"


def test_both_spellings_of_the_steps_are_understood(world: World) -> None:
    world.secrets.begin_rotation("token-1")
    for step in ("create_secret", "set_secret", "test_secret", "finish_secret"):
        world.step(step, "token-1")
    world.check("token-1")


def test_the_rotation_token_is_passed_on(world: World) -> None:
    world.secrets.begin_rotation("token-1")
    world.step("createSecret", "token-1", RotationToken="rt-1")
    assert world.secrets.put_tokens == ["rt-1"]


def test_a_persons_value_in_between_is_replaced_and_named(world: World) -> None:
    world.rotate()
    first = world.payload().key_id
    world.secrets.begin_rotation("token-2")
    world.step("createSecret", "token-2")
    world.secrets.put_by_hand("by-hand", "not even JSON")
    world.restart()
    world.step("testSecret", "token-2")
    outcome = world.step("finishSecret", "token-2")
    assert outcome["replaced"] == "by-hand", "the log says what was live before"
    world.check("token-2", first)
    assert world.secrets.labels[PREVIOUS] == "by-hand"
    second = world.payload().key_id
    world.check(world.rotate(), first, second)


def test_a_foreign_value_under_our_token_is_refused_and_not_shown(world: World) -> None:
    world.secrets.begin_rotation("token-1")
    world.secrets.values["token-1"] = json.dumps({"schema": 1, "api_key": "sk-" + "proj-" + "x" * 20})
    with pytest.raises(RotationError, match="not ours") as caught:
        world.step("createSecret", "token-1")
    assert "xxxx" not in str(caught.value)
    assert world.step("testSecret", "token-1")["outcome"] == "foreign_value", "AWS's own test must not fail"


def test_keys_of_people_are_left_alone(world: World) -> None:
    world.control.create_user_key(world.project_id, "somebody's")
    world.rotate()
    world.rotate()
    theirs = [key for key in world.live_keys().values() if key.name == "somebody's"]
    assert [key.expires_at for key in theirs] == [None]


def test_a_key_that_openai_accepts_late_is_waited_for(world: World) -> None:
    world.control.fault("propagation_delay", seconds=1)
    world.time.patient = True
    world.check(world.rotate())
    assert world.time.slept == [0.5, 1.0], "asked again until the key was known everywhere"


def test_a_key_that_is_never_accepted_is_deleted_and_the_rotation_fails(world: World) -> None:
    world.control.fault("propagation_delay", seconds=3600)
    with pytest.raises(ProofFailed, match="refused"):
        world.rotate()
    assert not world.live_keys(), "a failed proof leaves no live key behind"
    assert not any(world.secrets.values.values()), "nothing unproven is stored"


def test_without_money_the_new_key_still_replaces_the_old(world: World) -> None:
    world.rotate()
    old = world.payload().key_id
    world.control.fault("balance_gone", count=None)
    world.check(world.rotate(), old)


@pytest.mark.parametrize("permission", ["all", "restricted", "read_only"])
def test_every_permission_makes_a_key_that_passes_its_proof(new_world: Callable[..., World], permission: str) -> None:
    world = new_world(permission=permission)
    world.check(world.rotate())
    scopes = world.live_keys()[world.payload().key_id].scopes
    assert {"all": [], "read_only": ["api.all.read"]}.get(permission, scopes) == scopes
    assert (permission == "all") == (not scopes), "no scopes mean every permission"


def test_a_failed_shortening_fails_the_step_and_the_repeat_mends_it(world: World) -> None:
    world.rotate()
    old = world.payload().key_id
    world.control.fault("500", method="POST", path=f"/api_keys/{old}$", count=3)
    token = "token-2"
    with pytest.raises(RotationError, match="expiry was not set"):
        world.rotate(token)
    assert world.secrets.labels[CURRENT] == token, "the new key is live all the same"
    world.check(world.rotate(token), old)


def test_a_mint_that_the_organization_forbids_says_so(world: World) -> None:
    world.control.settings(forbid_new_keys=True)
    with pytest.raises(OpenAIError, match="organization_policy_violation"):
        world.rotate()
    assert sum(call.endswith(f"{world.account_id}/api_keys") for call in world.openai_calls) == 1, "no blind repeat"


def test_a_busy_admin_api_is_waited_for_inside_the_invocations_time(world: World) -> None:
    world.control.fault("429", method="POST", path="service_accounts/.*/api_keys", count=2)
    world.check(world.rotate())
    assert world.time.slept == [5.0, 10.0], "two clean refusals made nothing, so the mint may be asked again"


def test_a_busy_admin_api_does_not_outwait_the_invocation(world: World) -> None:
    world.control.fault("429", path="/api_keys", count=None)
    with pytest.raises(OpenAIError, match="429"):
        world.rotate()
    assert sum(world.time.slept) < 300 - 20, "time is kept for cleaning up"


def test_a_pending_key_that_was_deleted_at_openai_does_not_block_later_rotations(world: World) -> None:
    world.rotate()
    world.secrets.begin_rotation("token-2")
    world.step("createSecret", "token-2")
    doomed = world.payload("token-2").key_id
    world.api().send("DELETE", f"/organization/projects/{world.project_id}/api_keys/{doomed}")
    with pytest.raises(ProofFailed):
        world.step("testSecret", "token-2")
    with pytest.raises(RotationError, match="rotate again"):
        world.step("createSecret", "token-2")
    assert PENDING not in world.secrets.labels, "alone on a dead version it would make every later rotation fail"
    first = world.payload().key_id
    world.check(world.rotate(), first)


def test_an_admin_key_that_was_rotated_meanwhile_is_fetched_again(world: World) -> None:
    world.rotate()
    fresh = world.control.create_admin_key("fresh")
    world.secrets.admin_key, stale = fresh, world.secrets.admin_key
    world.kept.admin_key._kept_at = float("inf")
    _revoke_admin_key(world, stale)
    old = world.payload().key_id
    world.check(world.rotate(), old)


def _revoke_admin_key(world: World, value: str) -> None:
    key_id = next(key.id for key in world.control.minted() if key.value == value)
    world.restart()
    world.api().send("DELETE", f"/organization/admin_api_keys/{key_id}")
