"""What becomes of the key that a person's consumer may hold: it lives on until it is handed over, up to seven days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.handover import LONGEST_SECONDS, Handover
from functions.shared.old_keys import Versions, old_keys
from functions.shared.openai_admin import Key
from functions.sweep.decide_keys import decide
from functions.sweep.facts import Facts, Finding
from functions.sweep.old_key import LOOK_AHEAD_SECONDS
from myflux_keys.version_labels import CURRENT, PENDING, PREVIOUS
from tests.sweep.test_sweep_decisions import DAY, HOUR, OVERLAP, PROMOTED, TENANT, facts, key

LAST_DAY = PROMOTED + LONGEST_SECONDS
MADE = {"v0": PROMOTED - 40 * DAY, "v1": PROMOTED - 30 * DAY, "v2": PROMOTED}


def ours(version: str, **fields: Any) -> Key:
    """A key as a rotation made it for a version."""
    return key(f"of-{version}", name=TENANT.key_name(version), **fields)


LIVE = ours("v2", made=PROMOTED, dies=PROMOTED + 33 * DAY, used=PROMOTED)
RECORD = Handover("acme", "cinnox", "of-v1", "v1", PROMOTED - 29 * DAY, PROMOTED - 99 * DAY, "ann")
CONFIRMED = replace(RECORD, key_id="of-v2", version_id="v2", confirmed_at=PROMOTED + 20 * HOUR)


def waiting(*old: Key, now: float, record: Handover | None = RECORD, **changes: Any) -> Facts:
    base = facts(
        now=now,
        keys=(LIVE, *old),
        held={CURRENT: "of-v2", PREVIOUS: "of-v1"},
        handovers={"cinnox": record},
        made=MADE,
    )
    return replace(base, **changes)


def of(state: Facts, key_id: str = "of-v1") -> Finding:
    return next(found for found in decide(state) if found.key_id == key_id)


def old_key(dies: float = PROMOTED + OVERLAP, used: float | None = None) -> Key:
    return ours("v1", made=PROMOTED - 30 * DAY, dies=int(dies), used=None if used is None else int(used))


NEAR = PROMOTED + OVERLAP - HOUR


@pytest.mark.parametrize("record", [None, RECORD], ids=["never handed over", "handed over before"])
def test_a_key_that_is_not_handed_over_is_extended_by_one_overlap_though_nobody_was_seen_to_use_it(
    record: Handover | None,
) -> None:
    """A customer whose people are away for a weekend must find a key that works."""
    found = of(waiting(old_key(), now=NEAR, record=record))
    assert (found.found, found.action, found.seconds) == ("handover", "extend", HOUR + OVERLAP)
    assert "cinnox" in found.reason
    assert "nobody handed the new key over" in found.reason


def test_it_is_left_alone_while_it_has_time() -> None:
    assert of(waiting(old_key(), now=PROMOTED + HOUR)).found == "kept"


def test_an_extended_key_is_not_shortened_right_after_as_one_that_lives_for_too_long() -> None:
    dies = NEAR + HOUR + OVERLAP
    for now in range(int(NEAR), int(dies), 900):
        assert of(waiting(old_key(dies), now=now)).action in ("none", "extend"), now


def test_its_last_extension_ends_on_the_seventh_day_and_not_later() -> None:
    found = of(waiting(old_key(LAST_DAY - HOUR), now=LAST_DAY - 2 * HOUR))
    assert (found.action, found.seconds) == ("extend", 2 * HOUR)


@pytest.mark.parametrize(("used", "expected"), [(None, ("kept", "none")), (LAST_DAY - 3 * HOUR, ("in_use", "report"))])
def test_after_seven_days_it_ends_and_its_use_is_told(used: float | None, expected: tuple[str, str]) -> None:
    found = of(waiting(old_key(LAST_DAY, used), now=LAST_DAY - HOUR))
    assert (found.found, found.action) == expected
    assert "its seven days are over" in found.reason


def test_a_key_of_which_nobody_knows_since_when_it_is_old_is_not_extended_and_that_is_said() -> None:
    found = of(waiting(old_key(), now=NEAR, made={}))
    assert found.action == "none"
    assert "unknown when it was replaced, so it is not extended" in found.reason


def test_a_hand_over_in_time_lets_the_old_key_end_by_itself_though_it_was_used_before() -> None:
    found = of(waiting(old_key(used=PROMOTED + 19 * HOUR), now=NEAR, record=CONFIRMED))
    assert (found.found, found.action) == ("kept", "none")
    assert "handed over" in found.reason


def test_a_key_that_is_used_after_saved_was_said_is_extended() -> None:
    """Another key than the new one was pasted, or nothing was saved."""
    found = of(waiting(old_key(used=NEAR), now=NEAR, record=CONFIRMED))
    assert (found.found, found.action) == ("handover", "extend")
    assert "confirmed for cinnox, but this one is still in use" in found.reason


def test_a_confirmation_just_before_the_end_is_not_believed_for_an_hour() -> None:
    late = replace(CONFIRMED, confirmed_at=int(NEAR))
    assert of(waiting(old_key(), now=NEAR + 60, record=late)).action == "extend"


def test_after_two_rotations_the_key_that_was_handed_over_is_extended_and_no_other() -> None:
    oldest = ours("v0", made=PROMOTED - 40 * DAY, dies=PROMOTED + HOUR)
    record = replace(RECORD, key_id="of-v0", version_id="v0")
    made = MADE | {"v1": PROMOTED - DAY}
    state = waiting(old_key(), oldest, now=PROMOTED + 60, record=record, made=made)
    assert (of(state, "of-v0").action, of(state).action) == ("extend", "none")
    assert of(state, "of-v0").seconds == HOUR - 60 + OVERLAP
    over = waiting(oldest, now=PROMOTED + 60, record=record, made=MADE | {"v1": PROMOTED - 8 * DAY})
    assert of(over, "of-v0").action == "none", "seven days from its own replacement, not from the last rotation"


def test_a_key_in_use_and_the_one_that_was_handed_over_are_both_extended() -> None:
    """A process that never reads again may use the first, while a consumer that is quiet holds the second."""
    oldest = ours("v0", made=PROMOTED - 40 * DAY, dies=NEAR + HOUR)
    record = replace(RECORD, key_id="of-v0", version_id="v0")
    made = MADE | {"v1": PROMOTED - DAY}
    state = waiting(old_key(used=NEAR - 60), oldest, now=NEAR, record=record, made=made)
    assert (of(state, "of-v0").action, of(state).action) == ("extend", "extend")


def test_a_tenant_without_such_a_consumer_keeps_the_usual_rules() -> None:
    assert of(waiting(old_key(), now=NEAR, handovers={})).found == "kept"


def test_a_key_that_no_version_ever_held_is_no_old_key() -> None:
    lost = ours("v9", made=PROMOTED + HOUR, dies=PROMOTED + 30 * DAY)
    state = waiting(lost, now=PROMOTED + 5 * HOUR, record=None)
    assert (of(state, "of-v9").found, of(state, "of-v9").action) == ("orphan", "revoke")


def test_old_keys_are_ours_valid_and_replaced_the_previous_one_first() -> None:
    labels = {"v2": {CURRENT}, "v1": {PREVIOUS}, "v3": {PENDING}}
    versions = Versions(labels, MADE | {"v3": PROMOTED + HOUR, "tried": PROMOTED - HOUR})
    keys = (
        *(LIVE, old_key(), ours("v0"), ours("v3"), ours("tried", made=PROMOTED - HOUR)),
        *(key("person", name="my key", owner=None), key("dead", name=TENANT.key_name("v0"), dies=PROMOTED - 1)),
    )
    found = old_keys(keys, "local", "acme", "svc_1", versions, PROMOTED)
    assert [one.id for one in found] == ["of-v1", "of-tried", "of-v0"]
    assert found[0].replaced_at == PROMOTED, "when the current version was stored"
    assert found[2].replaced_at == MADE["v1"]


def test_after_a_rollback_it_is_unknown_since_when_the_previous_key_is_old() -> None:
    """AWSCURRENT was moved back to the version before."""
    versions = Versions({"v1": {CURRENT}, "v2": {PREVIOUS}}, MADE)
    assert versions.replaced_at("v2") is None
    assert versions.replaced_at("gone") is None


@given(
    uses=st.lists(st.integers(0, 9 * DAY), max_size=8),
    every=st.integers(900, 1800),
    late=st.integers(0, 900),
    confirmed=st.none() | st.integers(0, 9 * DAY),
)
def test_sweep_after_sweep_a_key_in_use_lives_to_its_seventh_day_and_never_longer(
    uses: list[int], every: int, late: int, confirmed: int | None
) -> None:
    """Whoever comes, late or never: the consumer's calls do not fail within seven days, unless it was handed over."""
    dies = PROMOTED + late + OVERLAP
    settled = None
    for now in range(PROMOTED, PROMOTED + 9 * DAY, every):
        if now >= dies:
            break
        last = max((PROMOTED + use for use in uses if PROMOTED + use <= now), default=None)
        record = RECORD
        if confirmed is not None and PROMOTED + confirmed <= now:
            record = replace(CONFIRMED, confirmed_at=PROMOTED + confirmed)
            settled = settled or now
        found = of(waiting(old_key(dies, last), now=now, record=record))
        assert found.action in ("none", "extend", "report")
        if found.action == "extend":
            assert found.seconds
            assert found.seconds <= OVERLAP + LOOK_AHEAD_SECONDS
            dies = now + found.seconds
    assert dies <= LAST_DAY
    if settled is None or settled >= dies:
        assert dies >= LAST_DAY - 1
