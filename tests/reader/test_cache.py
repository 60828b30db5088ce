"""How long a key is served: while fresh, while AWS fails, after a refusal, after a 401."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myflux_keys import (
    AccessDeniedError,
    KeyReader,
    KeyReaderError,
    NotReadyError,
    PayloadError,
    SecretNotFoundError,
    UnavailableError,
)
from myflux_keys.lifetimes import LONGEST_PAUSE, MAX_TTL, Lifetimes, pause_after
from tests.reader.conftest import Clock
from tests.reader.stand_in import GET, Fault, StandIn, key_text

MakeReader = Callable[..., KeyReader]
OUTAGE = Fault(500)
DENIED = Fault(400, "AccessDeniedException", "explicit deny in a resource-based policy")
DELETED = Fault(400, "InvalidRequestException", "You can't perform this operation because it was marked for deletion.")
THROTTLED = Fault(400, "ThrottlingException", "Rate exceeded")
DROPPED = Fault(0)


def rotate(aws: StandIn, version: str) -> str:
    aws.put("acme", key_text(version), version)
    return key_text(version)


def test_a_fresh_key_is_served_without_asking(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    first = reader.get("acme")
    rotate(aws, "v2")
    clock.advance(215)
    assert reader.get("acme") is first
    assert aws.calls[GET] == 1


def test_a_rotated_key_is_seen_within_the_ttl_and_its_jitter(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    new = rotate(aws, "v2")
    clock.advance(331)
    assert reader.get("acme").reveal() == new


def test_a_clock_that_was_set_back_makes_a_key_old_not_young(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    clock.advance(-7200)
    reader.get("acme")
    assert aws.calls[GET] == 2


@pytest.mark.parametrize("fault", [OUTAGE, THROTTLED, DROPPED], ids=["5xx", "throttled", "network"])
def test_the_last_good_key_is_served_while_aws_fails_and_no_longer_than_told(
    make_reader: MakeReader, aws: StandIn, clock: Clock, fault: Fault
) -> None:
    reader = make_reader(ttl=60, stale_for=600)
    key = reader.get("acme")
    aws.faults[GET] = fault
    clock.advance(70)
    assert reader.get("acme") is key
    clock.advance(580)
    assert reader.get("acme") is key, "650 s: within ttl + stale_for"
    clock.advance(30)
    with pytest.raises(UnavailableError):
        reader.get("acme")
    del aws.faults[GET]
    clock.advance(20)
    assert reader.get("acme").reveal() == key.reveal()


def test_the_last_good_key_is_never_served_beyond_its_own_expiry(
    make_reader: MakeReader, aws: StandIn, clock: Clock
) -> None:
    reader = make_reader(ttl=60, stale_for=3600)
    aws.put("acme", key_text("acme"), expires_at=datetime.fromtimestamp(clock() + 300, UTC).isoformat())
    reader.get("acme")
    aws.faults[GET] = OUTAGE
    clock.advance(250)
    reader.get("acme")
    clock.advance(60)
    with pytest.raises(UnavailableError):
        reader.get("acme")


def test_a_key_is_asked_for_again_when_it_expires_within_the_ttl(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    aws.put("acme", key_text("acme"), expires_at=datetime.fromtimestamp(clock() + 100, UTC).isoformat())
    reader.get("acme")
    new = rotate(aws, "v2")
    clock.advance(101)
    assert reader.get("acme").reveal() == new


def test_an_expired_key_that_aws_still_gives_out_is_handed_on_without_hammering(
    reader: KeyReader, aws: StandIn
) -> None:
    aws.put("acme", key_text("acme"), expires_at="2020-01-01T00:00:00Z")
    for _ in range(5):
        assert reader.get("acme").reveal() == key_text("acme"), "a wrong local clock must not stop a working key"
    assert aws.calls[GET] == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (DENIED, AccessDeniedError),
        (DELETED, SecretNotFoundError),
        (
            Fault(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
            SecretNotFoundError,
        ),
        (Fault(400, "DecryptionFailure", "the KMS key is disabled"), AccessDeniedError),
        (Fault(400, "SomethingNewException", "unheard of"), KeyReaderError),
    ],
    ids=["denied", "marked for deletion", "gone", "kms", "unknown"],
)
def test_a_deliberate_refusal_drops_the_cached_key(
    reader: KeyReader, aws: StandIn, clock: Clock, fault: Fault, error: type[KeyReaderError]
) -> None:
    reader.get("acme")
    aws.faults[GET] = fault
    clock.advance(331)
    with pytest.raises(error) as caught:
        reader.get("acme")
    assert type(caught.value) is error
    aws.faults[GET] = OUTAGE
    clock.advance(20)
    with pytest.raises(UnavailableError):
        reader.get("acme")


def test_a_refusal_found_by_a_fresh_read_drops_the_key_at_once(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    aws.faults[GET] = DENIED
    clock.advance(5)
    with pytest.raises(AccessDeniedError):
        reader.get("acme", fresh=True)
    with pytest.raises(AccessDeniedError):
        reader.get("acme")


def test_a_secret_overwritten_with_junk_leaves_the_last_good_key_for_a_while(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    key = reader.get("acme")
    aws.put_text("acme", "oops", "v2")
    clock.advance(331)
    assert reader.get("acme") is key
    clock.advance(4000)
    with pytest.raises(PayloadError):
        reader.get("acme")


def test_failures_are_remembered_briefly_so_that_aws_is_not_hammered(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    aws.put_text("acme", None)
    for _ in range(50):
        with pytest.raises(NotReadyError):
            reader.get("acme")
    assert aws.calls[GET] == 1
    clock.advance(1.2)
    with pytest.raises(NotReadyError):
        reader.get("acme")
    clock.advance(1.2)
    with pytest.raises(NotReadyError):
        reader.get("acme")
    assert aws.calls[GET] == 2, "the second pause is longer than the first"
    new = rotate(aws, "v1")
    clock.advance(1.2)
    assert reader.get("acme").reveal() == new, "a first key is seen within seconds"


def test_an_outage_with_a_last_good_key_is_not_hammered_either(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    reader.get("acme")
    aws.faults[GET] = DROPPED
    clock.advance(331)
    reader.get("acme")
    calls = aws.calls[GET]
    for _ in range(50):
        reader.get("acme")
        reader.get("acme", fresh=True)
    assert aws.calls[GET] == calls


def test_a_rejected_key_is_replaced_by_a_newer_one(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    dead = reader.get("acme")
    new = rotate(aws, "v2")
    clock.advance(5)
    assert reader.get("acme", rejected=dead).reveal() == new
    assert reader.get("acme").reveal() == new
    assert aws.calls[GET] == 2


def test_a_fresh_read_brings_the_newer_key_without_naming_the_dead_one(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    """What a caller does who only knows that OpenAI answered 401, in threads and in asyncio."""
    reader.get("acme")
    for version, read in (
        ("v2", lambda: reader.get("acme", fresh=True)),
        ("v3", lambda: asyncio.run(reader.aget("acme", fresh=True))),
    ):
        new = rotate(aws, version)
        clock.advance(5)
        assert reader.get("acme").reveal() != new, "well within the TTL, and so still the old one"
        assert read().reveal() == new
        assert reader.get("acme").reveal() == new
    assert aws.calls[GET] == 3


def test_a_rejected_key_costs_no_read_when_somebody_has_a_newer_one(
    reader: KeyReader, aws: StandIn, clock: Clock
) -> None:
    dead = reader.get("acme")
    rotate(aws, "v2")
    clock.advance(5)
    reader.get("acme", rejected=dead)
    for _ in range(100):
        assert reader.get("acme", fresh=True, rejected=dead).version_id == "v2"
    assert aws.calls[GET] == 2


def test_a_key_that_stays_rejected_is_asked_for_less_and_less(reader: KeyReader, aws: StandIn, clock: Clock) -> None:
    dead = reader.get("acme")
    for _ in range(600):
        clock.advance(0.1)
        assert reader.get("acme", rejected=dead) is not None
    assert 4 <= aws.calls[GET] <= 10, "a minute of 401s at ten a second: a handful of reads, not 600"
    new = rotate(aws, "v2")
    clock.advance(LONGEST_PAUSE + 2)
    assert reader.get("acme", rejected=dead).reveal() == new


def test_closing_forgets_keys_and_a_later_get_starts_anew(reader: KeyReader, aws: StandIn) -> None:
    reader.get("acme")
    reader.close()
    assert reader.get("acme").reveal() == key_text("acme")
    assert aws.calls[GET] == 2


def test_names_that_lead_nowhere_do_not_pile_up(
    reader: KeyReader, aws: StandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myflux_keys.reader.MOST_ENTRIES", 5)
    reader.get("acme")
    for number in range(12):
        clock.advance(2)
        with pytest.raises(SecretNotFoundError):
            reader.get(f"nobody-{number}")
    assert len(reader._entries) <= 6
    clock.advance(1)
    reader.get("acme")
    assert aws.calls[GET] == 13, "the tenant with a key was kept"


@given(st.floats(1, MAX_TTL / 1.1), st.floats(0, 86_400), st.floats(0, 1), st.integers(-100, 1_000_000))
def test_lifetimes_stay_within_their_bounds(ttl: float, stale_for: float, chance: float, life: int) -> None:
    lifetimes = Lifetimes(ttl, stale_for)
    refresh_at, until, last = lifetimes.of(0.0, datetime.fromtimestamp(life, UTC), chance)
    assert until <= MAX_TTL + 1e-6
    assert until <= ttl * 1.1 + 1e-6
    assert refresh_at == pytest.approx(0.8 * until)
    if life > 0:
        assert until <= life + 1e-6, "never fresh beyond the key's expiry"
        assert last <= life + 1e-6


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_pauses_grow_to_a_bound(attempts: int, chance: float) -> None:
    assert 0.9 <= pause_after(attempts, chance) <= LONGEST_PAUSE * 1.1
    assert pause_after(attempts, chance) <= pause_after(attempts + 1, chance)
