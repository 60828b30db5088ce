"""What is no customer's working key, or no person's link, is dropped or refused, and no key of it is left."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from functions.promoter.decide import UNCHECKED_SECONDS, UNCONFIRMED_SECONDS
from functions.shared.intake import Place
from tests.connect.outcomes import promoted, refused
from tests.connect.world import MODEL, World

HOUR = 3600
ADMIN_KEY = "sk-" + "admin-" + "k" * 60


def test_a_link_without_its_object_counts_as_taken_back(world: World) -> None:
    place = world.saved(world.key())
    world.cell.person.s3.delete_object(Bucket=world.cell.bucket, Key=place.link)
    world.promote()
    refused(world, place, "revoked")


@pytest.mark.parametrize("field", ["cell", "tenant", "id", "issued", "expires", "language"])
def test_a_changed_link_is_dropped_without_a_word(world: World, field: str) -> None:
    """F-5. Nothing is told, since whoever can put it there could speak in the name of a real link."""
    other = {"cell": "other", "tenant": "globex", "id": uuid.uuid4().hex, "language": "en"}
    made, token = world.issue()
    changed = replace(
        made,
        **({field: other[field]} if field in other else {field: getattr(made, field) + 1}),
    )
    forged = world.sign(changed).split(".")[0] + "." + token.split(".")[1]
    place = Place.of(changed)
    world.hand_in(place, forged, world.key())
    before = world.openai_calls()
    assert world.promote(place) == {"drop": 1}
    assert (world.outcome(place), world.lies_in_intake(place)) == (None, False)
    assert world.openai_calls() == before, "a forged link causes no call to OpenAI"


def test_a_genuine_link_at_another_tenants_place_is_dropped(world: World) -> None:
    """A hijacked page sees genuine links; none of them opens another tenant's secret."""
    other = World(world.cell)
    made, token = other.issue()
    place = Place(world.tenant, made.id)
    world.hand_in(place, token, world.key())
    assert world.promote(place) == {"drop": 1}
    assert world.outcome(place) is None
    assert world.live() is other.live() is None


def test_a_ciphertext_that_was_moved_is_dropped(world: World) -> None:
    """The encryption context holds it to its place."""
    other = World(world.cell)
    made, token = world.issue()
    place = Place.of(made)
    world.hand_in(place, token, world.key(), context=other.saved(other.key()).context)
    assert world.promote(place) == {"drop": 1}
    assert world.live() is None


@pytest.mark.parametrize("size", [0, 6_145, 100_000])
def test_a_size_that_kms_refuses_is_dropped_without_asking_it(world: World, size: int) -> None:
    """KMS says ValidationException, as it does of our own faults: the promoter would fail at it each minute."""
    made, _ = world.issue()
    place = Place.of(made)
    world.cell.page.s3.put_object(Bucket=world.cell.bucket, Key=place.handed_in, Body=b"x" * size)
    with world.killed_at(1_000, "before") as called:
        assert world.promote(place) == {"drop": 1}
    assert "kms.Decrypt" not in called
    assert not world.lies_in_intake(place)


@pytest.mark.parametrize("body", [b"nonsense", b"\x00" * 5000])
def test_nonsense_is_dropped(world: World, body: bytes) -> None:
    made, _ = world.issue()
    world.cell.page.s3.put_object(Bucket=world.cell.bucket, Key=Place.of(made).handed_in, Body=body)
    assert world.promote(Place.of(made)) == {"drop": 1}


@pytest.mark.parametrize("text", [ADMIN_KEY, "password", "sk-", "sk-" + "proj-" + "é" * 60, ""])
def test_what_is_no_key_is_refused_before_any_call(world: World, text: str) -> None:
    place = world.saved(text)
    before = world.openai_calls()
    world.promote(place)
    refused(world, place, "not_a_key")
    assert world.openai_calls() == before


def test_a_key_without_the_tenants_models_is_refused(world: World) -> None:
    allowed = {"mode": "allow_list", "model_ids": [MODEL]}
    world.theirs.send("POST", f"/{world.theirs.project}/model_permissions", allowed)
    place = world.saved(world.key())
    world.promote(place)
    refused(world, place, "model_unreachable")


def test_a_key_without_money_is_refused_and_kept_nowhere(world: World) -> None:
    place = world.saved(world.key())
    world.cell.local.openai.fault("balance_gone", organization_id=world.organization)
    world.promote(place)
    refused(world, place, "unpaid")


def test_where_openai_does_not_answer_nothing_is_said_and_nothing_lost(world: World) -> None:
    key = world.key()
    place = world.saved(key)
    world.confirm(place)
    world.cell.local.openai.fault("500", count=3)
    assert world.promote() == {"later": 1}
    assert (world.outcome(place), world.lies_in_intake(place)) == (None, True)
    world.cell.local.openai.clear_faults()
    world.promote()
    promoted(world, place, key)


def test_what_nobody_could_check_or_confirmed_does_not_lie_about(world: World) -> None:
    unconfirmed = world.saved(world.key())
    world.promote()
    unchecked = world.saved(world.key())
    world.ahead = UNCHECKED_SECONDS + HOUR
    assert world.promote(unconfirmed, unchecked) == {"later": 1, "refuse": 1}
    refused(world, unchecked, "unchecked")
    world.ahead = UNCONFIRMED_SECONDS + HOUR
    world.promote(unconfirmed)
    refused(world, unconfirmed, "not_confirmed")


def test_a_tenant_whose_keys_are_minted_is_never_written(world: World) -> None:
    world.cell.person.secrets.tag_resource(
        SecretId=world.secret, Tags=[{"Key": "myflux:project-id", "Value": "proj_1"}]
    )
    place = world.saved(world.key())
    world.promote()
    refused(world, place, "managed")


@pytest.mark.parametrize("window", [{"RecoveryWindowInDays": 7}, {"ForceDeleteWithoutRecovery": True}])
def test_a_tenant_whose_secret_is_gone_is_told_so(world: World, window: dict[str, object]) -> None:
    place = world.saved(world.key())
    world.cell.person.secrets.delete_secret(SecretId=world.secret, **window)
    world.promote()
    outcome = world.outcome(place)
    assert outcome is not None
    assert (outcome.state, outcome.reason) == ("refused", "no_secret")
