"""A key that a customer hands in becomes the tenant's live key, once, and only with everything in order."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from functions.connect.seen import Seen, held
from functions.promoter.decide import UNCHECKED_SECONDS, UNCONFIRMED_SECONDS
from functions.promoter.handler import named_in, run
from functions.promoter.services import Services
from functions.shared.deadline import Deadline
from functions.shared.intake import Outcome, Place
from functions.shared.link import LONGEST_SECONDS, SHORTEST_SECONDS
from tests.connect.world import MODEL, OTHER_MODEL, Killed, World

HOUR = 3600
ADMIN_KEY = "sk-" + "admin-" + "k" * 60


def refused(world: World, place: Place, reason: str) -> None:
    """The outcome names the reason, and no key is left anywhere."""
    outcome = world.outcome(place)
    assert outcome is not None
    assert (outcome.state, outcome.reason, outcome.last_four) == ("refused", reason, "")
    assert not world.lies_in_intake(place)
    assert place.id not in world.versions()


def promoted(world: World, place: Place, key: str) -> None:
    """The link's version is the live one, under the link's id, and the intake's copy is gone."""
    assert "AWSCURRENT" in world.versions()[place.id]
    live = world.live()
    assert live is not None
    assert (live.reveal(), live.tenant, live.models) == (key, world.tenant, (MODEL, OTHER_MODEL))
    outcome = world.outcome(place)
    assert outcome is not None
    assert (outcome.state, outcome.organization, outcome.last_four) == ("promoted", world.organization, key[-4:])
    assert not world.lies_in_intake(place)


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
