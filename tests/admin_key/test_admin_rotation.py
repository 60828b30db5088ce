"""The admin key's rotation: the order of its calls, its refusals, and the end of what it replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.admin_rotation import handler
from functions.admin_rotation.proof import NO_KEY, NotProven
from functions.shared.admin_key import AdminKeyMissing
from functions.shared.openai_http import OpenAIError, OpenAIHTTP
from functions.shared.rotation_guard import Refused, RotationError
from myflux_keys import names
from myflux_keys.payload import SecretText
from tests.admin_key.world import CELL, DAY, AdminWorld
from tests.functions.fake_secrets import CURRENT, PENDING

KEYS = "/organization/admin_api_keys"


def test_a_rotation_replaces_the_key_that_a_person_stored(world: AdminWorld) -> None:
    token = world.rotate()
    world.check(token)
    assert world.current().reveal() != world.first
    (made,) = [key for key in world.live().values() if key.name.startswith("myflux-")]
    assert made.name == names.admin_key_name(CELL, token), "its name tells which rotation made it"
    assert made.expires_at is not None
    assert made.expires_at - made.created_at == (90 + 1 + 14) * DAY, "interval, overlap and margin, well within a year"


def test_the_new_key_is_proven_for_reading_and_writing_before_it_is_stored(world: AdminWorld) -> None:
    order: list[str] = []
    world.on_openai = lambda moment, call: order.append(call) if moment == "before" else None
    world.secrets.on_call = lambda moment, call: order.append(call) if moment == "before" else None
    world.rotate()
    mint, stored = order.index(f"POST {KEYS}"), order.index("PutSecretValue")
    assert f"GET {KEYS}" in order[mint:stored]
    assert f"DELETE {KEYS}/{NO_KEY}" in order[mint:stored], "a key that can't write could never mint its successor"


def test_the_key_before_stays_valid_until_it_is_ended_a_day_later(
    world: AdminWorld, advance: Callable[[float], None]
) -> None:
    token = world.rotate()
    assert world.tidy()["ended"] == []
    assert world.accepted(first(world)), "functions may hold it for some minutes"
    advance(23 * 3600)
    assert world.tidy()["ended"] == []
    assert "made by hand" in {key.name for key in world.live().values()}, "a day is the overlap"
    advance(2 * 3600)
    assert len(world.tidy()["ended"]) == 1
    assert not world.accepted(first(world))
    world.check(token)


def test_several_rotations_in_a_row_leave_one_key_and_its_predecessor(
    world: AdminWorld, advance: Callable[[float], None]
) -> None:
    for _ in range(3):
        token = world.rotate()
        advance(2 * DAY)
        world.restart()
        world.tidy()
        world.check(token)
        assert len(world.live()) == 1, "after the tidying only the current key lives"


def test_a_key_that_nobody_here_made_or_stored_is_never_touched(
    world: AdminWorld, advance: Callable[[float], None]
) -> None:
    foreign = world.control.create_admin_key("somebody else's")
    world.rotate()
    advance(30 * DAY)
    world.restart()
    world.tidy()
    assert "somebody else's" in {key.name for key in world.live().values()}
    assert world.accepted(SecretText(foreign))


def test_a_replaced_key_that_somebody_still_uses_is_reported_and_left(
    world: AdminWorld, advance: Callable[[float], None]
) -> None:
    world.rotate()
    advance(2 * DAY)
    assert world.accepted(first(world)), "somebody uses it, long after the functions let go of it"
    world.restart()
    with pytest.raises(RotationError, match="somebody still uses it"):
        world.tidy()
    assert world.accepted(first(world))


def test_a_key_of_an_abandoned_rotation_is_ended(world: AdminWorld, advance: Callable[[float], None]) -> None:
    world.secrets.begin_rotation("given-up")
    world.step("createSecret", "given-up")
    # A person stores another key: AWS ends the rotation under way, and its version has no label any more.
    del world.secrets.labels[PENDING]
    world.secrets.put_by_hand("another", world.control.create_admin_key("another by hand"))
    advance(2 * DAY)
    world.restart()
    world.tidy()
    assert {key.name for key in world.live().values()} == {"another by hand"}


def test_nothing_is_ended_while_our_own_key_cannot_be_told(
    world: AdminWorld, advance: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rotate("token")
    advance(2 * DAY)
    monkeypatch.setattr("functions.admin_rotation.tidy.own_key", lambda *_: None)
    world.restart()
    with pytest.raises(RotationError, match="none was deleted"):
        world.tidy()
    assert len(world.live()) == 2


def test_the_tidying_does_nothing_before_the_first_key(new_world: Callable[..., AdminWorld]) -> None:
    world = new_world(first_key=False)
    assert world.tidy()["outcome"] == "no_key_yet"
    assert not world.openai_calls


def test_a_rotation_without_a_first_key_says_how_one_gets_there(new_world: Callable[..., AdminWorld]) -> None:
    world = new_world(first_key=False)
    with pytest.raises(AdminKeyMissing, match="myflux-keys admin-key set --cell"):
        world.rotate()
    assert not world.live()


def test_rotate_immediately_false_tests_a_version_that_was_never_minted(world: AdminWorld) -> None:
    world.secrets.begin_rotation("trial")
    assert world.step("testSecret", "trial")["outcome"] == "never_minted"
    assert not [call for call in world.openai_calls if call.startswith("POST")]


def test_a_key_that_may_not_write_is_never_stored(world: AdminWorld) -> None:
    reader = world.control.create_admin_key("reads", scopes=["api.management.read"])
    world.secrets.put_by_hand("reads", reader)
    with pytest.raises(OpenAIError, match=r"api\.management\.write"):
        world.rotate()
    assert len(world.live()) == 2, "nothing was made"


def test_a_new_key_that_openai_refuses_is_ended_and_never_stored(
    world: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise NotProven("refused", OpenAIError("GET", "refused", maybe_applied=False, status=401))

    monkeypatch.setattr("functions.admin_rotation.steps.prove", refused)
    with pytest.raises(NotProven):
        world.rotate("token")
    assert [key.name for key in world.live().values()] == ["made by hand"], "the unproven key was ended at once"
    assert world.secrets.values["token"] is None


def test_a_stored_key_that_is_gone_from_openai_frees_the_next_rotation(world: AdminWorld) -> None:
    world.secrets.begin_rotation("token")
    made = world.step("createSecret", "token")["key_id"]
    deadline = world.time.deadline()
    OpenAIHTTP(world.url, deadline).send("DELETE", f"{KEYS}/{made}", world.observer)
    with pytest.raises(NotProven, match="refused"):
        world.step("testSecret", "token")
    assert PENDING not in world.secrets.labels, "AWSPENDING on it would make every later rotation fail"
    for _ in range(4):
        with pytest.raises(Refused, match="the key is not valid"):
            world.step("createSecret", "token")
    world.check(world.rotate())


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_every_step_refuses_a_token_that_belongs_to_no_version(world: AdminWorld, step: str) -> None:
    world.rotate()
    with pytest.raises(Refused, match="has no version nobodys"):
        world.step(step, "nobodys")


def test_many_forced_rotations_leave_the_live_key_and_its_predecessors(world: AdminWorld) -> None:
    """The tidying waits a day; what is older than the previous key ends before another is made."""
    tokens = [world.rotate() for _ in range(8)]
    made = {key.name for key in world.live().values()} - {"made by hand", "observer"}
    assert {names.admin_key_name(CELL, token) for token in tokens[-2:]} <= made
    assert len([name for name in made if name.startswith(names.admin_key_name(CELL, ""))]) <= 3


def test_an_admin_key_that_a_person_stored_again_is_not_ended_by_a_rotation(world: AdminWorld) -> None:
    old = world.rotate()
    for _ in range(2):
        world.rotate()
    value = world.secrets.values[old]
    assert value is not None
    world.secrets.labels.pop(PENDING, None)
    world.secrets.put_by_hand("by-hand", value)
    world.restart()
    world.check(world.rotate())
    assert world.accepted(SecretText(value)), "it was the live key while the next was made"


@pytest.mark.parametrize(
    ("secret_id", "why"),
    [
        ("myflux/local/acme/openai", "a tenant's secret"),
        ("myflux-admin/other/openai", "another cell's"),
        ("myflux-admin/local/openai/more", "not the whole name"),
        ("arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux-admin/local/openai-extra-a1B2c3", "longer"),
    ],
)
def test_any_other_secret_is_refused_before_any_call(world: AdminWorld, secret_id: str, why: str) -> None:
    with pytest.raises(Refused, match="rotates only the admin key of cell local"):
        handler.run(
            {"Step": "createSecret", "SecretId": secret_id, "ClientRequestToken": "t"},
            world.environment,
            world.kept,
            world.time.deadline(),
        )
    assert not world.openai_calls, why


@pytest.mark.parametrize(
    "tags",
    [
        {names.TAG_EVERY_DAYS: "90"},
        {names.TAG_EVERY_DAYS: "90", names.TAG_OVERLAP_HOURS: "0"},
        {names.TAG_EVERY_DAYS: "365", names.TAG_OVERLAP_HOURS: "24"},
        {names.TAG_EVERY_DAYS: "ninety", names.TAG_OVERLAP_HOURS: "24"},
    ],
    ids=["missing", "no overlap", "over a year", "no number"],
)
def test_lifetimes_that_break_a_rule_are_refused_before_anything_is_made(
    world: AdminWorld, tags: dict[str, str]
) -> None:
    world.secrets.tags = tags
    with pytest.raises(Refused):
        world.rotate()
    assert [key.name for key in world.live().values()] == ["made by hand"]


def test_a_rotation_that_is_over_is_not_brought_back(world: AdminWorld) -> None:
    old = world.rotate()
    world.rotate()
    world.rotate()
    with pytest.raises(Refused, match="or it is long over"):
        world.step("finishSecret", old)
    assert world.secrets.labels[CURRENT] != old


@pytest.mark.parametrize("event", [{}, {"action": "other"}, {"Step": "dropSecret"}])
def test_an_event_from_elsewhere_is_refused(world: AdminWorld, event: dict[str, str]) -> None:
    if "Step" in event:
        event = event | {"SecretId": world.secrets.arn, "ClientRequestToken": "t"}
    with pytest.raises(Refused):
        handler.run(event, world.environment, world.kept, world.time.deadline())


def test_a_rotation_makes_few_calls(world: AdminWorld) -> None:
    world.rotate()
    assert len(world.openai_calls) == 7, "look, mint, prove twice, prove twice, look: the Admin API allows few a minute"


def test_an_admin_key_that_was_said_to_be_deleted_and_lives_is_told(
    world: AdminWorld, advance: Callable[[float], None]
) -> None:
    world.rotate()
    advance(2 * DAY)
    world.restart()
    world.control.fault("not_done", method="DELETE", count=None)
    with pytest.raises(RotationError, match="was deleted, but still lists it"):
        world.tidy()


def first(world: AdminWorld) -> SecretText:
    return SecretText(world.first)
