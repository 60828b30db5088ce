"""When an `up` leaves a mark: only of the run that it was, over files that stayed as they were."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.stacks import mark, mark_place, marking, unchanged
from ops.stacks.deciding import Deciding
from ops.state_place import StatePlace
from tenancy.loading import ROOT

STACK = "acme.local"


@dataclass
class Place:
    """A folder of states with a platform, and a fleet of two files. `up` does what a run does to the state."""

    folder: Path

    @property
    def fleet(self) -> Path:
        return self.folder / "fleet"

    @property
    def at(self) -> StatePlace:
        return StatePlace((self.folder / "states").as_uri())

    @property
    def marks(self) -> mark_place.MarkPlace:
        found = mark_place.opened(self.at.url)
        assert found is not None
        return found

    def up(self, stack: str = STACK, *, key: str = "arn", ago: float = 0.0, **more: object) -> None:
        states = self.folder / "states" / ".pulumi" / "stacks" / "myflux-keys"
        states.mkdir(parents=True, exist_ok=True)
        moment = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
        resources = [{"type": "pulumi:pulumi:Stack", "outputs": {"kms_key_arn": key}}]
        latest = {"manifest": {"time": moment}, "resources": resources, **more}
        (states / f"{stack}.json").write_text(json.dumps({"checkpoint": {"latest": latest}}), "utf-8")

    def begun(self, stack: str = STACK) -> marking.Leave:
        return marking.begun(stack, self.fleet, self.at)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(Deciding, "engine", "v3.250.0")
    for name in ("tenants", "cells"):
        shutil.copytree(ROOT / name, tmp_path / "fleet" / name)
    made = Place(tmp_path)
    made.up("local")
    return made


def test_a_run_that_succeeded_leaves_the_mark_of_what_decided_it_and_of_its_state(place: Place) -> None:
    leave = place.begun()
    place.up()
    assert leave(time.time()) == ""
    found = mark.read(place.marks.mark(STACK))
    assert found is not None
    assert (found.state, found.decided_by.engine) == (place.marks.version(STACK), "v3.250.0")


def test_a_file_that_was_changed_during_the_run_leaves_none_even_if_it_was_changed_back(place: Place) -> None:
    file = place.fleet / "tenants" / "acme.yaml"
    text = file.read_text("utf-8")
    leave = place.begun()
    place.up()
    file.write_text(f"{text}enabled: false\n", "utf-8")
    assert "changed while it ran" in leave(time.time())
    file.write_text(text, "utf-8")
    assert "changed while it ran" in leave(time.time()), "the program may have read what it was in between"
    assert place.marks.mark(STACK) == ""


def test_a_platform_that_exports_something_else_meanwhile_leaves_none(place: Place) -> None:
    leave = place.begun()
    place.up()
    place.up("local", key="arn of another")
    assert "changed while it ran" in leave(time.time())


def test_the_state_of_another_run_is_not_marked(place: Place) -> None:
    leave = place.begun()
    ended = time.time()
    place.up(ago=-1)
    assert "another run has written its state since" in leave(ended)
    place.up(pending_operations=[{"type": "creating"}])
    assert "another run" in leave(time.time())
    assert place.marks.mark(STACK) == ""


def test_a_refresh_that_found_nothing_leaves_the_mark_again_and_one_that_found_something_does_not(place: Place) -> None:
    leave = place.begun()
    place.up()
    leave(time.time())
    for found, arn in ((False, "arn"), (True, "arn of another")):
        again = marking.refreshed(STACK, place.at)
        place.marks.void(STACK)
        place.up(key=arn)
        assert again(time.time()) == ""
        left = mark.read(place.marks.mark(STACK))
        assert (left is None) is found
        assert left is None or left.state == place.marks.version(STACK), "for the state as the refresh wrote it"


def test_a_refresh_leaves_no_mark_where_none_held_before(place: Place) -> None:
    leave = place.begun()
    place.up()
    leave(time.time())
    place.up()
    assert marking.refreshed(STACK, place.at) is marking.none, "somebody had written the state since"


def test_a_mark_that_cannot_be_written_is_told_and_the_stack_counts_as_deployed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    leave = place.begun()
    place.up()
    monkeypatch.setattr(mark_place.Folder, "leave", full)
    assert "No space left" in leave(time.time())


def test_a_mistake_in_a_file_is_left_to_the_program_which_stops_that_stack_alone(place: Place) -> None:
    (place.fleet / "tenants" / "acme.yaml").write_text("tenant: acme\n", "utf-8")
    assert unchanged.find(place.fleet, {STACK: "acme"}) == set()


def test_a_platform_and_a_backend_that_only_the_engine_reads_get_no_mark(place: Place) -> None:
    assert place.begun("local") is marking.none
    assert marking.begun(STACK, place.fleet, StatePlace("https://api.pulumi.com")) is marking.none
    assert marking.none(time.time()) == ""
