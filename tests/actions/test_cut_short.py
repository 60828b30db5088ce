"""`rotate` says what another rotation takes from the keys before it, and asks, before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from myflux_keys.names import TAG_CONSUMERS, TAG_OVERLAP_HOURS
from ops import journal
from ops.actions import run_rotate
from ops.actions.cut_short import cut_short
from ops.actions.rotate import new_token
from ops.actions.run_rotate import Planned, Talk, Wanted
from ops.errors import Declined, OperationError
from ops.journal import Entry
from ops.rotation_state import SecretFacts
from tenancy import Fleet
from tests.actions.stand_ins import FakeAccount, FakeSecrets, Held
from tests.tenancy.files import Files

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FOUND = SecretFacts(
    arn="arn:x",
    name="n",
    tags={TAG_OVERLAP_HOURS: "24", TAG_CONSUMERS: "myflux"},
    rotation_enabled=True,
    answered_at=NOW,
    stages={"old": ["AWSPREVIOUS"], "new": ["AWSCURRENT"]},
    last_rotated=NOW - timedelta(hours=2),
)


def test_a_rotation_inside_the_overlap_is_told_with_what_it_cuts_short() -> None:
    assert cut_short("acme", FOUND) == (
        "acme rotated 2 h 0 min ago: its previous key stays valid until 2026-11-30 10:00 UTC, and another rotation "
        "leaves it one hour, which is the longest that readers cache it."
    )


def test_who_pastes_keys_is_told_how_long_there_is_for_it() -> None:
    told = cut_short("acme", replace(FOUND, tags={**FOUND.tags, TAG_CONSUMERS: "myflux cinnox"}))
    assert told is not None
    assert told.endswith("Paste it into CINNOX's dashboard within that hour.")


def test_a_third_rotation_within_an_hour_is_told_to_end_the_oldest_key_at_once() -> None:
    told = cut_short("acme", replace(FOUND, last_rotated=NOW - timedelta(minutes=10)))
    assert told is not None
    assert told.endswith("A key from before the previous one, if one is still valid, ends at once.")


@pytest.mark.parametrize(
    "change",
    [
        {"last_rotated": NOW - timedelta(hours=25)},
        {"last_rotated": NOW - timedelta(hours=23, minutes=30)},
        {"stages": {"new": ["AWSCURRENT"]}},
        {"last_rotated": None},
        {"tags": {}},
    ],
    ids=["after the overlap", "in its last hour", "no previous key", "never rotated", "no overlap known"],
)
def test_a_rotation_that_cuts_nothing_short_is_not_asked_about(change: dict[str, Any]) -> None:
    assert cut_short("acme", replace(FOUND, **change)) is None


def test_a_revoke_left_no_key_that_a_rotation_could_cut_short() -> None:
    revoked = {"old": ["AWSPREVIOUS"], new_token("revoke"): ["AWSCURRENT"]}
    just_now = NOW - timedelta(minutes=10)
    assert cut_short("acme", replace(FOUND, stages=revoked, last_rotated=just_now)) is None
    rotated = {"old": ["AWSPREVIOUS"], new_token("rotate"): ["AWSCURRENT"]}
    assert cut_short("acme", replace(FOUND, stages=rotated, last_rotated=just_now)) is not None


TENANTS = ("acme", "bravo", "coral")


class Asked:
    """The operator: what they are told and asked, and what they answer."""

    def __init__(self, root: Path, answer: bool) -> None:
        self.root = root
        self.answer = answer
        self.told: list[str] = []
        self.questions: list[str] = []

    def rotate(self, *tenants: str) -> None:
        wanted = Wanted(tenants, not tenants, None, "", None, False, 1)
        talk = Talk(self.told.append, lambda stopped: None, self._confirmed, lambda: nullcontext(lambda progress: None))
        run_rotate.rotate(self.root, wanted, talk)

    def planned(self, *tenants: str) -> Planned:
        wanted = Wanted(tenants, not tenants, None, "", None, False, 1, dry=True)
        talk = Talk(self.told.append, self._asked, self._confirmed, lambda: nullcontext(lambda progress: None))
        return run_rotate.plan(self.root, wanted, talk)

    def _asked(self, question: str) -> bool:
        raise AssertionError(f"a dry run asks nothing: {question}")

    def _confirmed(self, question: str) -> bool:
        self.questions.append(question)
        return self.answer


@pytest.fixture
def operator(
    tmp_path: Path, fleet: Fleet, secrets: FakeSecrets, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bool], Asked]:
    """acme and bravo rotated ten minutes ago; coral has had one key only."""
    files = Files(tmp_path / "three")
    for slug in TENANTS:
        files.tenant(slug, tenant=slug)
        stages = {f"new-{slug}": ["AWSCURRENT"]} | ({} if slug == "coral" else {f"old-{slug}": ["AWSPREVIOUS"]})
        rotated = secrets.clock.moment() - timedelta(minutes=10)
        name = fleet.cells["local"].names.tenant(slug).secret
        secrets.held[name] = Held(stages, rotated=rotated, tags={TAG_OVERLAP_HOURS: "24"})
    account = FakeAccount(fleet.cells["local"], secrets)
    monkeypatch.setattr(run_rotate, "Account", lambda *_: nullcontext(account))
    monkeypatch.setenv("MYFLUX_STATE", str(tmp_path / "state"))
    return lambda answer: Asked(tmp_path / "three", answer)


def test_before_many_rotations_one_question_is_asked_and_no_starts_none(
    operator: Callable[[bool], Asked], secrets: FakeSecrets, tmp_path: Path
) -> None:
    asked = operator(False)
    with pytest.raises(Declined):
        asked.rotate()
    assert asked.questions == ["Rotate again, inside the overlap of 2 tenants?"]
    assert asked.told[0].startswith("local: 3 of 3 tenants to rotate: takes about 20 s."), "the time comes before it"
    assert [text.split(" ")[0] for text in asked.told[1:]] == ["acme", "bravo"], "coral loses nothing"
    assert not secrets.asked
    assert not list((tmp_path / "state").rglob("*.json")), "and no record says that a run was stopped"


def test_a_dry_run_names_each_in_its_turn_and_what_would_end_sooner_and_leaves_nothing(
    operator: Callable[[bool], Asked], secrets: FakeSecrets, tmp_path: Path, fleet: Fleet
) -> None:
    asked = operator(True)
    planned = asked.planned()
    assert sorted(planned.order["local"]) == list(TENANTS)
    assert [text.split(" ")[0] for text in planned.cut] == ["acme", "bravo"]
    assert not secrets.asked
    assert not asked.questions
    assert not (tmp_path / "state").exists(), "not even a lock"
    assert asked.planned("coral", "acme").order == {"local": ["coral", "acme"]}, "as they are given"

    cell = fleet.cells["local"]
    with journal.exclusive_run(cell, "rotate") as place:
        stopped = journal.begin(place, "rotate", cell, TENANTS, "")
    stopped.entries["bravo"].outcome = "succeeded"
    stopped.save()
    kept = stopped.path.read_bytes()
    assert sorted(asked.planned().order["local"]) == ["acme", "coral"], "it would continue, and not again"
    assert "It would continue; --restart starts again." in asked.told[-2]
    assert stopped.path.read_bytes() == kept
    with journal.exclusive_run(cell, "rotate"), pytest.raises(OperationError, match="only one may run"):
        asked.planned()


def test_yes_starts_them_all(operator: Callable[[bool], Asked], secrets: FakeSecrets) -> None:
    operator(True).rotate()
    assert len(secrets.asked) == len(TENANTS)


def test_a_rotation_outside_an_overlap_is_not_asked_about(
    operator: Callable[[bool], Asked], secrets: FakeSecrets
) -> None:
    asked = operator(False)
    asked.rotate("coral")
    assert not asked.questions
    assert len(secrets.asked) == 1


def test_a_run_that_continues_asks_only_about_the_tenants_that_are_left(
    operator: Callable[[bool], Asked], secrets: FakeSecrets, fleet: Fleet
) -> None:
    cell = fleet.cells["local"]
    with journal.exclusive_run(cell, "rotate") as place:
        stopped = journal.begin(place, "rotate", cell, TENANTS, "")
        stopped.entries["acme"] = Entry(version="new-acme", accepted=NOW.isoformat(), outcome="started")
        stopped.save()
    asked = operator(True)
    asked.rotate()
    assert asked.questions == ["Rotate again, inside the overlap of 1 tenant?"]
    assert sorted(name.split("/")[2] for name, _, _ in secrets.asked) == ["bravo", "coral"]
