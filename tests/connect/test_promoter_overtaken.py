"""What changes while a key is promoted counts: another run, a link's end, a tenant whose keys are minted since."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from functions.promoter.handler import run
from functions.promoter.services import Services
from functions.shared.intake import Place
from functions.shared.link import LONGEST_SECONDS, SHORTEST_SECONDS
from tests.connect.outcomes import promoted, refused
from tests.connect.world import World

HOUR = 3600


def test_two_runs_at_once_are_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has looked before the other acts."""
    key = world.key()
    place = world.saved(key)
    world.confirm(place)
    slower, faster = world.services(), world.services()
    told = slower.intake.tell
    monkeypatch.setattr(slower.intake, "tell", lambda *given: (run(faster, [place]), told(*given)))
    assert run(slower, [place]) == {"later": 1}, "the faster one told the outcome"
    promoted(world, place, key)
    assert list(world.versions()) == [place.id]


def test_a_slower_run_deletes_no_later_hand_in(world: World) -> None:
    made, token = world.issue()
    place = Place.of(made)
    world.hand_in(place, token, "sk-" + "svcacct-" + "x" * 100)
    intake = world.services().intake
    sealed = intake.sealed(place)
    assert sealed is not None
    world.promote()
    world.hand_in(place, token, world.key())
    intake.end(place, sealed)
    assert world.lies_in_intake(place)


def test_expiry_counts_when_the_key_was_handed_in(world: World) -> None:
    """Nobody knows when the promoter comes round."""
    now = int(time.time())
    late = world.saved(world.key(), issued=now - LONGEST_SECONDS, expires=now)
    in_time = world.saved(world.key(), issued=now - SHORTEST_SECONDS, expires=now + 60)
    world.ahead = 2 * HOUR
    assert world.promote(late, in_time) == {"refuse": 1, "wait": 1}
    refused(world, late, "expired")


def test_a_revoked_link_counts_until_its_key_is_promoted(world: World) -> None:
    place = world.saved(world.key())
    world.promote()
    world.put(place.revoked, b"")
    world.confirm(place)
    assert world.promote() == {"refuse": 1}
    refused(world, place, "revoked")


def test_a_link_revoked_while_its_key_is_tried_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    place = world.saved(world.key())
    world.confirm(place)
    services = while_trying(world, monkeypatch, lambda: world.put(place.revoked, b""))
    assert run(services, [place]) == {"refuse": 1}
    refused(world, place, "revoked")


def while_trying(world: World, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> Services:
    """A promoter beside whose first call to OpenAI `do` happens."""
    services = world.services()
    send, left = services.http.send, [do]

    def sending(*given: object, **named: object) -> dict[str, object]:
        if left:
            left.pop()()
        return send(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(services.http, "send", sending)
    return services


def test_a_tenant_whose_keys_are_minted_since_the_key_was_tried_is_not_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world.saved(world.key())
    world.confirm(place)
    tags = [{"Key": "myflux:project-id", "Value": "proj_1"}]
    secrets = world.cell.person.secrets
    services = while_trying(world, monkeypatch, lambda: secrets.tag_resource(SecretId=world.secret, Tags=tags))
    assert run(services, [place]) == {"refuse": 1}
    refused(world, place, "managed")


def test_a_link_whose_object_goes_while_its_key_is_tried_does_not_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = world.saved(world.key())
    world.confirm(place)
    s3 = world.cell.person.s3
    gone = while_trying(world, monkeypatch, lambda: s3.delete_object(Bucket=world.cell.bucket, Key=place.link))
    assert run(gone, [place]) == {"refuse": 1}
    refused(world, place, "revoked")


def test_a_slower_run_writes_no_key_over_one_that_was_handed_in_since(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first key was refused by a faster run, and the customer has saved another one."""
    made, token = world.issue()
    place, first, second = Place.of(made), world.key(), world.key()
    world.hand_in(place, token, first)
    world.confirm(place)

    def meanwhile() -> None:
        sealed = services.intake.sealed(place)
        assert sealed is not None
        services.intake.end(place, sealed)
        world.hand_in(place, token, second)

    services = world.services()
    slower = while_trying(world, monkeypatch, meanwhile)
    assert run(slower, [place]) == {"later": 1}
    assert world.live() is None
    world.promote()
    promoted(world, place, second)


def test_a_faster_run_that_wrote_the_key_is_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It died before it told anybody; a revocation since then comes too late, and the outcome says so."""
    key = world.key()
    place = world.saved(key)
    world.confirm(place)

    def meanwhile() -> None:
        faster = world.services()
        monkeypatch.setattr(faster.intake, "tell", lambda *_: 1 / 0)
        assert run(faster, [place]) == {"failed": 1}
        world.put(place.revoked, b"")

    assert run(while_trying(world, monkeypatch, meanwhile), [place]) == {"finish": 1}
    promoted(world, place, key)
