"""The record of a hand-over is read strictly, and its state never says done while the old key may be in use."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.shared.handover import (
    LONGEST_SECONDS,
    Current,
    Handover,
    HandoverError,
    OldKey,
    Standing,
    confirmed,
    object_name,
    standing,
)
from myflux_keys.consumers import CONSUMERS, PASTED

HOUR = 3600
DAY = 24 * HOUR
PROMOTED = 1_800_000_000
"""When the current key became live."""

RECORD = Handover("acme", "cinnox", "key_2", "version-2", PROMOTED + HOUR, PROMOTED - 90 * DAY, "ann@example.com")
NAME = object_name("acme", "cinnox")
CURRENT = Current("version-2", PROMOTED)
OLD = OldKey("key_1", PROMOTED, PROMOTED + DAY, PROMOTED - DAY)


def _with(**fields: Any) -> str:
    return json.dumps(json.loads(RECORD.to_json()) | fields)


def _state(record: Handover | None, *old: OldKey, now: float = PROMOTED + 3 * HOUR) -> Standing:
    return standing(record, CURRENT, old, now)


def test_a_record_is_read_as_it_was_written() -> None:
    assert Handover.read(RECORD.to_json(), NAME) == RECORD
    assert NAME == "handovers/acme/cinnox.json"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        (_with(schema=2), "schema 1"),
        (_with(schema=True), "schema 1"),
        (_with(more="field"), "exactly these fields"),
        (json.dumps({"schema": 1, "tenant": "acme"}), "exactly these fields"),
        (_with(tenant="ACME"), "`tenant`"),
        (_with(tenant="other-tenant"), "another tenant"),
        (_with(consumer="myflux"), "one that a person serves: cinnox"),
        (_with(consumer=["cinnox"]), "one that a person serves: cinnox"),
        (_with(version_id=""), "`version_id`"),
        (_with(key_id=None), "`key_id`"),
        (_with(key_id="sk-" + "proj-" + "a1B2" * 12), "looks like a key"),
        (_with(by="two\nlines"), "`by`"),
        (_with(confirmed_at=1.5), "`confirmed_at`"),
        (_with(confirmed_at=True), "`confirmed_at`"),
        (_with(confirmed_at=PROMOTED * 1000), "`confirmed_at`"),
        (_with(connected_since=PROMOTED + DAY), "not be after"),
    ],
)
def test_a_record_of_another_form_is_refused_in_words_that_hold_nothing_of_it(text: str, told: str) -> None:
    with pytest.raises(HandoverError, match=told) as caught:
        Handover.read(text, NAME)
    assert "a1B2" not in str(caught.value)


def test_a_record_that_nobody_could_read_is_not_written() -> None:
    with pytest.raises(HandoverError, match="looks like a key"):
        replace(RECORD, by="sk-" + "proj-" + "a1B2" * 12).to_json()


def test_each_confirmation_keeps_the_date_of_the_first() -> None:
    first = confirmed(
        None, tenant="acme", consumer="cinnox", key_id="key_1", version_id="version-1", now=PROMOTED, by="ann"
    )
    second = confirmed(
        first, tenant="acme", consumer="cinnox", key_id="key_2", version_id="version-2", now=PROMOTED + DAY, by="ben"
    )
    assert (first.connected_since, second.connected_since) == (PROMOTED, PROMOTED)
    assert (second.confirmed_at, second.by) == (PROMOTED + DAY, "ben")


def test_a_consumer_that_a_person_serves_has_the_steps_for_that_person() -> None:
    assert [name for name, one in PASTED.items() if not one.steps] == []
    assert {one.name for one in CONSUMERS if one.steps} == PASTED.keys()


def test_a_tenant_without_the_consumer_has_nothing_to_hand_over() -> None:
    assert standing(None, CURRENT, [OLD], PROMOTED, enabled=False) == Standing("not_used")


def test_the_state_of_a_key_whose_use_nobody_can_read_is_unknown_even_if_somebody_confirmed_it() -> None:
    found = standing(RECORD, CURRENT, None, PROMOTED + 30 * DAY, readable=False)
    assert found == Standing("unknown", connected_since=RECORD.connected_since)


def test_a_hand_over_is_due_from_each_promotion_until_that_version_is_confirmed() -> None:
    for record in (None, replace(RECORD, version_id="version-1", key_id="key_1")):
        found = _state(record, OLD)
        assert (found.state, found.since, found.old, found.extends) == ("due", PROMOTED, OLD, True)


def test_use_of_the_new_key_is_no_proof_so_only_a_confirmation_ends_due() -> None:
    assert _state(None).state == "due", "also when every old key has ended"


def test_a_confirmation_counts_as_saved_for_an_hour_since_use_is_shown_late() -> None:
    at = RECORD.confirmed_at
    assert _state(RECORD, OLD, now=at + HOUR - 1).state == "saved"
    assert _state(RECORD, OLD, now=at + HOUR).state == "done"


def test_an_old_key_that_is_used_after_the_confirmation_takes_done_back() -> None:
    used = replace(OLD, last_used_at=PROMOTED + 2 * DAY)
    found = _state(RECORD, used, now=PROMOTED + 3 * DAY)
    assert (found.state, found.old, found.extends) == ("saved", used, True)


def test_a_call_that_was_under_way_when_somebody_saved_is_no_doubt() -> None:
    at = RECORD.confirmed_at
    assert _state(RECORD, replace(OLD, last_used_at=at + 600), now=at + DAY).state == "done"
    assert _state(RECORD, replace(OLD, last_used_at=at + 601 + HOUR), now=at + DAY).state == "saved"


def test_a_readers_cache_and_a_probe_of_the_hour_after_the_promotion_are_no_use_by_the_consumer() -> None:
    record = replace(RECORD, confirmed_at=PROMOTED + 60)
    cached = replace(OLD, last_used_at=PROMOTED + HOUR)
    assert _state(record, cached).state == "done"


def test_it_is_done_when_the_old_key_has_ended() -> None:
    assert _state(RECORD, now=RECORD.confirmed_at).state == "done"


def test_it_is_not_done_while_nobody_looked_at_the_old_keys_use_or_knows_since_when_it_is_old() -> None:
    later = PROMOTED + 3 * DAY
    assert standing(RECORD, CURRENT, None, later).state == "saved"
    assert _state(RECORD, replace(OLD, replaced_at=None), now=later).state == "saved"


def test_after_two_rotations_the_consumer_holds_the_key_that_was_handed_over() -> None:
    record = replace(RECORD, key_id="key_0", version_id="version-0")
    oldest = OldKey("key_0", PROMOTED - DAY, PROMOTED + DAY, PROMOTED - 2 * DAY)
    assert _state(record, OLD, oldest).old == oldest
    assert _state(None, OLD, oldest).old == OLD, "without a record: the one before the current"


def test_the_old_key_that_is_in_use_counts_more_than_the_record() -> None:
    """Somebody pasted a key and did not confirm it, or confirmed another one than they pasted."""
    used = replace(OLD, last_used_at=PROMOTED + 2 * HOUR)
    oldest = OldKey("key_0", PROMOTED - DAY, PROMOTED + DAY, PROMOTED - 2 * DAY)
    assert _state(replace(RECORD, key_id="key_0", version_id="version-0"), used, oldest).old == used
    assert _state(RECORD, OLD, replace(oldest, last_used_at=PROMOTED + 2 * HOUR)).old == replace(
        oldest, last_used_at=PROMOTED + 2 * HOUR
    )


def test_an_old_key_ends_seven_days_after_its_replacement_and_not_on_an_unknown_day() -> None:
    assert OLD.last_day == PROMOTED + LONGEST_SECONDS == PROMOTED + 7 * DAY
    assert replace(OLD, replaced_at=None).last_day is None
