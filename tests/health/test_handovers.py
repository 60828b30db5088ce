"""A hand-over is told when it is due, each day that it lasts, on its last day, and when it was missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.health.facts import Facts
from functions.health.handover_facts import Handing, HandoverSeen, Recorded, read_seen, remembered, shown
from functions.health.handovers import TURNS, turns
from functions.health.history import Change, History, advance
from functions.health.judge import judge
from functions.health.messages import message
from functions.health.notices import Scope, tell
from functions.health.trouble import TENANT
from functions.shared.handover import Handover, OldKey
from functions.shared.old_keys import Versions
from myflux_keys.version_labels import CURRENT, PREVIOUS
from tests.health.given import NOW, declaration, facts
from tests.health.test_health_each_kind import OFFERED

HOUR, DAY = 3600, 86_400
PROMOTED = int(NOW)
BEFORE = Handover("acme", "cinnox", "key_1", "v1", PROMOTED - 30 * DAY, PROMOTED - 90 * DAY, "ann")
SAVED = replace(BEFORE, key_id="key_2", version_id="v2", confirmed_at=PROMOTED + 2 * DAY)
VERSIONS = Versions(
    {"v2": {CURRENT}, "v1": {PREVIOUS}}, {"v0": PROMOTED - 60 * DAY, "v1": PROMOTED - 30 * DAY, "v2": PROMOTED}
)
AWS = Recorded("acme", {"cinnox": BEFORE}, VERSIONS, PROMOTED + 7 * DAY, readable=True)
CONFIRMED = replace(AWS, records={"cinnox": SAVED})
OLD = OldKey("key_1", PROMOTED, PROMOTED + DAY, PROMOTED)


class Days:
    """One tenant over days, and the first line of what is told, after the name of the event and of the tenant."""

    def __init__(self) -> None:
        self.history = History()
        self.bodies: list[str] = []

    def look(self, after: float, aws: Recorded, *old: OldKey, looked: bool = True) -> list[str]:
        """`after` the promotion, in seconds."""
        now = PROMOTED + after
        handings = aws.handings(old, now) if looked else aws.not_looked(now)
        state: Facts = facts(now=now, days=None, limits=None, handovers=handings, secret=None)
        judged = judge(replace(state, secret=facts().secret), OFFERED, self.history)
        change: Change = advance(self.history, judged, now)
        told = tell({Scope(TENANT, "acme"): change}, {Scope(TENANT, "acme"): change.history}, {})
        self.history = told.histories[Scope(TENANT, "acme")]
        messages = [message(one, "local", "en", {"acme": declaration()}, now) for one in told.notices]
        mine = [(one, sent) for one, sent in zip(told.notices, messages, strict=True) if "handover" in one.trouble.kind]
        self.bodies = [sent.body for _, sent in mine]
        assert len({sent.thread for _, sent in mine}) <= 1
        return [f"{sent.body.partition(':')[0]}: {one.trouble.kind}" for one, sent in mine]


def kept(days: float) -> OldKey:
    """The old key, as the sweep extends it."""
    return replace(OLD, expires_at=PROMOTED + days * DAY)


def test_an_absent_operator_is_told_once_a_day_then_a_day_before_the_end_and_when_it_ended() -> None:
    days = Days()
    told = {hour: lines for hour in range(24 * 9) if (lines := days.look(hour * HOUR, AWS, *_valid(hour)))}
    assert told == {
        0: ["Trouble: handover_due"],
        **{24 * day: ["Reminder: handover_due"] for day in range(1, 6)},
        144: ["Trouble: handover_last_day"],
        168: ["Trouble: handover_missed"],
    }


def _valid(hour: int) -> tuple[OldKey, ...]:
    return (kept(min(hour // 24 + 1, 7)),) if hour < 7 * 24 else ()


def test_a_message_says_who_what_until_when_and_what_to_type() -> None:
    days = Days()
    days.look(0, AWS, OLD)
    [body] = days.bodies
    assert "What: cinnox has not got the tenant's current key. The old one ends on 2026-11-27T12:00:00Z" in body
    assert "Type: myflux-keys handover acme --consumer cinnox\nPage: docs/runbook.md#handoversdue" in body


def test_a_hand_over_in_time_is_over_with_one_message_and_not_before_an_hour_without_use_of_the_old_key() -> None:
    days = Days()
    assert days.look(0, AWS, OLD) == ["Trouble: handover_due"]
    at = 2 * DAY
    assert days.look(at + 60, CONFIRMED, kept(3)) == [], "too early to tell"
    assert days.look(at + HOUR, CONFIRMED, kept(3)) == ["Over: handover_due"]
    assert days.look(at + 2 * HOUR, CONFIRMED, kept(3)) == []


def test_a_key_that_is_used_after_saved_was_said_is_told_and_is_no_end_of_what_was_due() -> None:
    days, at = Days(), 2 * DAY
    days.look(0, AWS, OLD)
    used = replace(kept(3), last_used_at=PROMOTED + at + HOUR)
    assert days.look(at + 2 * HOUR, CONFIRMED, used) == ["Trouble: handover_doubted"]
    assert "confirmed for cinnox at 2026-11-22T12:00:00Z" in days.bodies[0]
    assert "last at 2026-11-22T13:00:00Z" in days.bodies[0]
    assert days.look(at + 26 * HOUR, CONFIRMED, replace(used, expires_at=PROMOTED + 5 * DAY)) == [
        "Reminder: handover_doubted"
    ]
    again = replace(SAVED, confirmed_at=PROMOTED + at + 27 * HOUR)
    assert days.look(at + 29 * HOUR, replace(AWS, records={"cinnox": again}), used) == ["Over: handover_doubted"]


def test_confirmed_without_saving_is_doubted_when_the_consumer_calls_again() -> None:
    days, at = Days(), 2 * DAY
    assert days.look(at + 12 * HOUR, CONFIRMED, kept(3)) == []
    used = replace(kept(3), last_used_at=PROMOTED + at + 13 * HOUR)
    assert days.look(at + 14 * HOUR, CONFIRMED, used) == ["Trouble: handover_doubted"]


def test_a_second_rotation_is_no_second_message_within_the_day() -> None:
    days = Days()
    days.look(0, AWS, OLD)
    third = Versions({"v3": {CURRENT}, "v2": {PREVIOUS}}, {**VERSIONS.made, "v3": PROMOTED + 10 * HOUR})
    again = replace(AWS, versions=third)
    assert days.look(11 * HOUR, again, replace(OLD, id="key_2"), OLD) == []
    assert days.look(24 * HOUR, again, kept(2)) == ["Reminder: handover_due"]


def test_a_first_key_is_to_be_handed_over_and_nothing_was_missed() -> None:
    first = Recorded("acme", {"cinnox": None}, Versions({"v1": {CURRENT}}, {"v1": PROMOTED}), PROMOTED, readable=True)
    days = Days()
    assert days.look(HOUR, first) == ["Trouble: handover_due"]
    assert "current key.\nWhose" in days.bodies[0], "there is no old key whose end could be named"


def test_without_a_look_at_openai_due_is_told_and_nothing_else_begins_or_ends() -> None:
    days = Days()
    assert days.look(0, AWS, looked=False) == ["Trouble: handover_due"]
    assert "ends on 2026-11-27" in days.bodies[0], "AWS alone knows the last day"
    assert days.look(25 * HOUR, AWS, looked=False) == ["Reminder: handover_due"], "a reminder needs no look"
    assert days.look(6 * DAY + HOUR, AWS, looked=False) == [], "near the last day OpenAI's list decides"
    assert days.look(2 * DAY + 5 * HOUR, CONFIRMED, looked=False) == []
    assert days.look(8 * DAY, CONFIRMED, looked=False) == ["Over: handover_due"], "no old key can live any more"


def test_of_a_tenant_that_nobody_asked_about_nothing_is_over() -> None:
    """Such as one that is disabled for an hour."""
    days = Days()
    days.look(0, AWS, OLD)
    judged = judge(facts(now=PROMOTED + HOUR, handovers=None), OFFERED, days.history)
    assert "handover_due" in judged.unknown


def test_of_a_customers_own_key_nothing_is_told() -> None:
    customers = replace(AWS, readable=False)
    days = Days()
    assert days.look(DAY, customers, looked=False) == []
    assert remembered({}, customers.not_looked(PROMOTED))["cinnox"].state == "unknown"


def test_those_looked_at_longest_ago_come_first_and_those_that_are_done_not_at_all() -> None:
    many = [replace(AWS, tenant=f"t{number}") for number in range(TURNS + 2)]
    done = replace(CONFIRMED, tenant="done")
    looked_at = {"t0": 50.0, "t1": 40.0}
    found = turns([*many, done], looked_at, PROMOTED + 8 * DAY)
    assert [one.tenant for one in found] == ["t2", "t3", "t4", "t5"]
    assert "done" in [one.tenant for one in turns([done], {}, PROMOTED + 3 * DAY)], "its old key may still be used"


def seen(*handings: Handing, before: dict[str, HandoverSeen] | None = None) -> HandoverSeen:
    return remembered(before or {}, handings)["cinnox"]


def test_what_is_remembered_holds_until_somebody_looks_again_or_another_key_is_live() -> None:
    later = PROMOTED + 3 * DAY
    done = seen(*CONFIRMED.handings([kept(3.5)], later))
    assert (done.state, done.since, done.connected_since) == ("done", SAVED.confirmed_at, SAVED.connected_since)
    assert seen(*CONFIRMED.not_looked(later), before={"cinnox": done}).state == "done"
    used = seen(*CONFIRMED.handings([replace(kept(3.5), last_used_at=later)], later))
    assert (used.state, used.used_at, used.is_used) == ("saved", later, True)
    assert seen(*CONFIRMED.not_looked(later), before={"cinnox": used}).is_used
    cached = seen(*CONFIRMED.handings([replace(kept(3.5), last_used_at=PROMOTED + 1800)], SAVED.confirmed_at + 60))
    assert not cached.is_used, "a reader that cached it, in the hour after the rotation"
    rotated = Versions({"v3": {CURRENT}, "v2": {PREVIOUS}}, {**VERSIONS.made, "v3": later})
    due = seen(*replace(CONFIRMED, versions=rotated).not_looked(later), before={"cinnox": done})
    assert (due.state, due.since, due.ends) == ("due", later, later + 7 * DAY)


@pytest.mark.parametrize("stored", [None, {}])
def test_a_state_of_an_earlier_version_has_no_hand_overs(stored: object) -> None:
    assert read_seen(stored) == {}


def test_what_is_remembered_is_read_as_it_was_written_also_by_an_older_function() -> None:
    one = {"cinnox": HandoverSeen("due", "v2", 1.0, None, 2.0, None)}
    text = shown(one)
    text["cinnox"]["of_a_later_version"] = True
    assert read_seen(text) == one
