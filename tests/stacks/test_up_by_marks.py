"""A run of `up` over stacks of which most have a mark that holds: who is run, in which order, and what is told."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ops.actions import run_stacks
from ops.actions.run_stacks import Talk, Wanted
from ops.cli import stacks_report
from ops.stacks import mark, mark_place, unchanged
from ops.stacks.choice import Choice
from ops.stacks.deciding import Deciding
from ops.stacks.job import Done, Job
from ops.stacks.mark import Decides, Mark
from ops.stacks.run import Plan, Result
from ops.stacks.states import States

TENANTS = {f"t-{number:02}.local": f"t-{number:02}" for number in range(40)}
ALL = Choice(("local",), TENANTS)
CHANGED = {"t-03.local", "t-30.local"}


@dataclass
class World:
    """Workers that keep what they ran, and marks that hold for all but `CHANGED`."""

    ran: list[str] = field(default_factory=list[str])
    opened: int = 0
    asked: list[str] = field(default_factory=list[str])
    fails: frozenset[str] = frozenset()
    size: int = 1
    running: list[Job] = field(default_factory=list[Job])

    def start(self, job: Job) -> None:
        self.running.append(job)
        self.ran.append(job.stack)

    def ended(self, seconds: float) -> list[tuple[Job, Done]]:
        del seconds
        jobs, self.running = self.running, []
        return [(job, Done(job.stack, {"update": 1}, problem="no" * (job.stack in self.fails))) for job in jobs]

    def find(self, fleet: Path, tenants: Mapping[str, str]) -> set[str]:
        del fleet
        self.asked = [*self.ran, "marks"]
        return set(tenants) - CHANGED


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = World()
    states = tmp_path / "states" / ".pulumi" / "stacks" / "myflux-keys"
    states.mkdir(parents=True)
    (states / "local.json").touch()

    @contextmanager
    def workers(wanted: Wanted, number: int) -> Generator[World]:
        del wanted, number
        made.opened += 1
        yield made

    def of(fleet: Path, stacks: Any) -> States:
        del fleet, stacks
        return States({"local": (tmp_path / "states").as_uri()})

    monkeypatch.setattr(run_stacks, "_workers", workers)
    monkeypatch.setattr(run_stacks.states, "of", of)
    monkeypatch.setattr(unchanged, "find", made.find)
    monkeypatch.setenv("MYFLUX_STATE", str(tmp_path / "state"))
    return made


def up(chosen: Choice, tmp_path: Path, **how: Any) -> tuple[Plan, Result]:
    wanted = replace(Wanted("up", tmp_path, 1, None, 3), **how)

    def said(*_: object) -> None: ...

    return run_stacks.run(wanted, chosen, Talk(said, said, lambda: nullcontext(said), lambda: None))


def test_the_changed_ones_alone_are_run_and_the_canary_is_one_of_them(world: World, tmp_path: Path) -> None:
    plan, result = up(ALL, tmp_path)
    assert world.asked == ["local", "marks"], "a mark is about what the platform exports, so the platform goes first"
    assert set(world.ran) == {"local", *CHANGED}
    assert [(stage.name, len(stage.stacks)) for stage in plan.stages] == [
        ("platforms", 1),
        ("first tenant", 1),
        ("5% of tenants", 1),
    ]
    assert result.complete
    assert stacks_report.sentence("up", plan, result, dry=False).splitlines()[-2:] == [
        "t-00.local, t-01.local, t-02.local, t-04.local, t-05.local and 33 more: unchanged (by mark)",
        "41 of 41 stacks done: 3 changed, 38 unchanged (38 by mark).",
    ]
    told = stacks_report.facts("up", ALL, plan, result)["stacks"]
    assert told["t-00.local"] == {"outcome": "unchanged (by mark)", "changes": {}, "seconds": 0.0}
    assert told["t-03.local"]["outcome"] == "succeeded"


def test_no_worker_is_started_where_every_mark_holds(world: World, tmp_path: Path) -> None:
    chosen = Choice((), {"t-01.local": "t-01"}, by_name=True)
    _, result = up(chosen, tmp_path)
    assert (result.complete, set(result.outcomes), world.opened) == (True, {"t-01.local"}, 0)
    _, result = up(chosen, tmp_path, marks=False)
    assert (result.outcomes["t-01.local"].by_mark, world.ran) == (False, ["t-01.local"]), "--no-marks"


def test_marks_are_not_looked_at_after_a_platform_that_failed(world: World, tmp_path: Path) -> None:
    world.fails = frozenset({"local"})
    plan, result = up(ALL, tmp_path)
    assert (world.asked, world.ran) == ([], ["local"])
    assert set(result.not_begun) == set(TENANTS)
    assert "local failed in the stage `platforms`" in result.stopped
    assert "0 of 41 stacks" in stacks_report.sentence("up", plan, result, dry=False)


@pytest.mark.parametrize("operation", ["preview", "refresh", "destroy"])
def test_no_other_operation_trusts_a_mark(world: World, tmp_path: Path, operation: Any) -> None:
    up(ALL, tmp_path, operation=operation)
    assert (world.asked, len(world.ran)) == ([], 41)


def test_a_run_that_is_continued_does_not_repeat_what_it_did(world: World, tmp_path: Path) -> None:
    world.fails = frozenset(CHANGED)
    _, stopped = up(ALL, tmp_path)
    assert (len(stopped.not_begun), stopped.failed) == (1, [next(iter(set(world.ran) - {"local"}))])
    world.fails = frozenset()
    world.ran.clear()
    plan, result = up(ALL, tmp_path)
    assert (set(world.ran), plan.done, result.complete) == (CHANGED, {"local"}, True)


DECIDES = Decides("sources", "rules", "", "environment", "engine", "platform")


@dataclass
class Here(Deciding):
    """What decides the stacks, without files."""

    decides: Decides | None = DECIDES

    def here(self, stack: str) -> tuple[str, ...]:
        del stack
        return ("sources", "rules", "", "environment")

    def all(self, stack: str) -> Decides | None:
        del stack
        return self.decides


def test_a_mark_holds_only_for_the_state_that_its_run_left_and_what_decided_it(tmp_path: Path) -> None:
    url = (tmp_path / "states").as_uri()
    marks = mark_place.opened(url)
    assert isinstance(marks, mark_place.Folder)
    states = tmp_path / "states" / ".pulumi" / "stacks" / "myflux-keys"
    states.mkdir(parents=True)
    here = Here(tmp_path, "local", marks, own_settings=False, code="")

    def holding() -> list[str]:
        return unchanged.holding(here, marks, ["acme.local"])

    assert holding() == [], "there is no state"
    state = states / "acme.local.json"
    state.write_text("{}")
    version = marks.version("acme.local") or ""
    assert holding() == [], "there is no mark"
    marks.leave("acme.local", mark.written(Mark(DECIDES, version)))
    assert holding() == ["acme.local"]
    here.decides = replace(DECIDES, platform="another")
    assert holding() == []
    here.decides = None
    assert holding() == [], "the platform is gone"
    here.decides = DECIDES
    state.write_text("{} ")
    assert holding() == [], "the state was written since"
    marks.leave("acme.local", mark.written(Mark(DECIDES, marks.version("acme.local") or "")))
    (states / "acme.local.json.gz").touch()
    assert holding() == [], "nobody knows which of two files is the state"


def test_only_a_folder_and_a_bucket_hold_marks() -> None:
    assert mark_place.opened("https://api.pulumi.com") is None
    assert mark_place.opened("") is None
