"""A key that a customer hands in becomes the tenant's live key, once, and only with everything in order."""

from __future__ import annotations

import logging

import pytest
from botocore.exceptions import ClientError

from functions.connect.seen import Seen, held
from functions.promoter.handler import named_in, run
from functions.shared.deadline import Deadline
from functions.shared.intake import Outcome, Place
from tests.connect.outcomes import promoted, refused
from tests.connect.world import Killed, World


def test_a_first_organization_waits_for_a_person_and_is_promoted_once_confirmed(world: World) -> None:
    key = world.key()
    place = world.saved(key)
    assert world.promote() == {"wait": 1}
    waiting = world.outcome(place)
    assert waiting is not None
    assert (waiting.state, waiting.organization, waiting.last_four) == ("waiting", world.organization, key[-4:])
    assert world.live() is None, "a key of nobody's organization yet is nobody's key"
    world.confirm(place)
    assert world.promote() == {"promote": 1}
    promoted(world, place, key)


def test_waiting_costs_the_customer_nothing(world: World) -> None:
    """The schedule looks every five minutes, for days."""
    world.saved(world.key())
    world.promote()
    before = world.openai_calls()
    assert [world.promote() for _ in range(3)] == [{"later": 1}] * 3
    assert world.openai_calls() == before


def test_the_organization_on_record_needs_no_second_person(world: World) -> None:
    first = world.saved(world.key())
    world.confirm(first)
    world.promote()
    key = world.key()
    second = world.saved(key)
    assert world.promote() == {"promote": 1}
    promoted(world, second, key)
    assert world.versions()[first.id] == ["AWSPREVIOUS"], "the old key lives on for readers that have it"


def test_a_working_key_of_another_organization_waits(world: World) -> None:
    """Who gets the forwarded link could save a key of their own, and all conversations would run in their account."""
    place = world.saved(world.key())
    world.confirm(place, "org-of-the-customer")
    assert world.promote() == {"wait": 1}
    assert world.live() is None


@pytest.mark.parametrize("other", ["acme-x1", ""])
def test_a_confirmation_of_another_name_confirms_nothing(world: World, other: str) -> None:
    place = world.saved(world.key())
    world.promote()
    world.confirm(place, other)
    assert world.promote() == {"later": 1}
    assert world.live() is None


def test_the_same_saved_twice_is_one_version(world: World) -> None:
    """Save, the answer lost, Save again (F-2): the second finds the first one's object, or its outcome."""
    key = world.key()
    made, token = world.issue()
    place = Place.of(made)
    world.hand_in(place, token, key)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        world.hand_in(place, token, key)
    world.confirm(place)
    world.promote()
    world.hand_in(place, token, key)
    assert world.promote() == {"drop": 1}
    assert list(world.versions()) == [place.id]
    promoted(world, place, key)


def test_another_key_after_a_promoted_one_is_dropped(world: World) -> None:
    made, token = world.issue()
    place, key = Place.of(made), world.key()
    world.hand_in(place, token, key)
    world.confirm(place)
    world.promote()
    world.hand_in(place, token, world.key())
    assert world.promote() == {"drop": 1}
    promoted(world, place, key)


def test_a_refused_key_leaves_the_link_alive(world: World) -> None:
    """Only a promoted key consumes a link."""
    made, token = world.issue()
    place = Place.of(made)
    world.hand_in(place, token, "sk-" + "svcacct-" + "x" * 100)
    world.confirm(place)
    assert world.promote() == {"refuse": 1}
    refused(world, place, "refused")
    key = world.key()
    world.hand_in(place, token, key)
    assert world.promote() == {"promote": 1}
    promoted(world, place, key)


def test_two_refusals_within_a_second_are_two(world: World) -> None:
    """The page knows a refusal by its time: the second would else count as the first, and the link be stuck."""
    made, token = world.issue()
    place, services = Place.of(made), world.services()
    services.wall = lambda: made.issued + 60.0
    told: list[str] = []
    for letter in "xy":
        world.hand_in(place, token, "sk-" + "svcacct-" + letter * 100)
        assert run(services, [place]) == {"refuse": 1}
        outcome = world.outcome(place)
        assert outcome is not None
        told.append(outcome.at)
    assert told[0] < told[1]
    second = Seen(handed_in="the digest of the second", after=told[0], written=True)
    assert held(second, told[1]) == "", "the link is open for a third key"
    assert held(second, told[0]) == "the digest of the second", "until it is refused too"


def test_it_may_die_before_or_after_any_call(world: World) -> None:
    key = world.key()
    first = world.saved(key)
    with world.killed_at(-1, "never") as calls:
        world.promote()
        world.confirm(first)
        world.promote()
    assert {"s3.PutObject", "s3.DeleteObject", "kms.Decrypt", "kms.VerifyMac", "secrets-manager.PutSecretValue"} <= set(
        calls
    )
    most = len(calls)
    for call in range(most):
        for moment in ("before", "after"):
            place = world.saved(key)
            with world.killed_at(call, moment) as made:
                try:
                    world.promote(place)
                except Killed:
                    pass
                else:
                    break
            world.promote(place)
            promoted(world, place, key)
        else:
            continue
        assert len(made) <= call, "it was through"
        break
    else:
        raise AssertionError("it was always killed")


def test_it_may_die_before_or_after_any_call_while_it_refuses(world: World) -> None:
    wrong = "sk-" + "svcacct-" + "x" * 100
    with world.killed_at(-1, "never") as calls:
        assert world.promote(world.saved(wrong)) == {"refuse": 1}
    for call in range(len(calls)):
        for moment in ("before", "after"):
            place = world.saved(wrong)
            with world.killed_at(call, moment), pytest.raises(Killed):
                world.promote(place)
            world.promote(place)
            refused(world, place, "refused")


def test_a_persons_key_has_the_label_until_a_service_accounts_comes(world: World) -> None:
    first = world.saved(world.persons_key())
    world.confirm(first)
    world.promote()
    assert sorted(world.versions()[first.id]) == ["AWSCURRENT", "myflux-persons-key"]
    second = world.saved(world.key())
    world.promote()
    assert (world.versions()[second.id], world.versions()[first.id]) == (["AWSCURRENT"], ["AWSPREVIOUS"])


def test_one_failure_does_not_keep_the_next_key_waiting(world: World) -> None:
    broken, sound = world.saved(world.key()), world.saved(world.key())
    world.put(broken.link, b"[]")
    assert world.promote(broken, sound) == {"failed": 1, "wait": 1}
    assert world.lies_in_intake(broken)


def test_no_key_is_begun_without_time_to_end_it(world: World) -> None:
    place = world.saved(world.key())
    assert run(world.services(Deadline(30)), [place]) == {"left": 1}
    assert world.lies_in_intake(place)


def test_a_key_is_in_no_log_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    key = world.key()
    place = world.saved(key)
    with caplog.at_level(logging.DEBUG, logger="myflux"):
        world.promote()
        world.confirm(place)
        world.promote()
    assert f'"event":"connect.promote","tenant":"{world.tenant}","link":"{place.id}"' in caplog.text
    assert key not in caplog.text
    assert key[-12:] not in caplog.text


def test_an_event_is_a_hint_and_names_places_alone() -> None:
    place = Place("acme", "0123456789abcdef" * 2)

    def event(*keys: object) -> dict[str, object]:
        return {"Records": [{"s3": {"object": {"key": key}}} for key in keys]}

    assert named_in(event(place.handed_in, place.handed_in)) == [place], "S3 may tell it twice"
    assert named_in(event(place.handed_in.replace("/", "%2F"))) == [place], "S3 encodes the name"
    for other in ({}, {"Records": 7}, {"Records": [None, {}, {"s3": None}]}, event("outcome/acme/x", 7, None)):
        assert named_in(other) == [], "then it looks at all of them"


def test_an_outcome_tells_no_more_than_the_last_four_characters(world: World) -> None:
    key = world.key()
    place = world.saved(key)
    world.promote()
    told = world.outcome(place)
    assert isinstance(told, Outcome)
    assert [key[start : start + 5] for start in range(len(key) - 4) if key[start : start + 5] in told.to_json()] in (
        [],
        [key[:5]],
    )
