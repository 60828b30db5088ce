"""A run over many stacks: what is begun, what is waited for, and what a stop leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ops.errors import OperationError
from ops.stacks import record
from ops.stacks.job import Done, Job
from ops.stacks.run import LOCKED_SECONDS, Plan, Progress, Run
from ops.stacks.stages import stages

TENANTS = [f"t-{number:03}.local" for number in range(100)]
PRINTS = {stack: f"print of {stack}" for stack in ["local", *TENANTS]}


@dataclass
class Crew:
    """Two workers, of whom the one that began first ends first. `answer` is asked when a job ends."""

    answer: Callable[[Job], Done] = lambda job: Done(job.stack, {"create": 1})
    size: int = 2
    running: list[Job] = field(default_factory=list[Job])
    begun: list[str] = field(default_factory=list[str])
    clock: float = 0.0

    def start(self, job: Job) -> None:
        assert len(self.running) < self.size, "more was begun than there are workers"
        self.running.append(job)
        self.begun.append(job.stack)

    def ended(self, seconds: float) -> list[tuple[Job, Done]]:
        self.clock += seconds
        if not self.running:
            return []
        job = self.running.pop(0)
        return [(job, self.answer(job))]


WANTED = Plan("up", stages({"local"}, TENANTS, canary=True), PRINTS)


def plan(**changes: Any) -> Plan:
    return replace(WANTED, **changes)


@dataclass
class Kept:
    done: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, stack: str, fingerprint: str) -> None:
        self.done[stack] = fingerprint


def run(crew: Crew, wanted: Plan, kept: Kept, said: list[Progress] | None = None) -> Run:
    return Run(wanted, crew, kept, (said if said is not None else []).append, now=lambda: crew.clock)


def test_all_stacks_are_done_and_a_stage_begins_when_the_one_before_has_ended() -> None:
    crew, kept, said = Crew(), Kept(), list[Progress]()
    result = run(crew, plan(), kept, said).go()
    assert result.complete
    assert kept.done == PRINTS
    assert crew.begun[0] == "local", "the platform is first"
    assert said[0].running == 1, "and alone, however many workers there are"
    assert said[-1] == Progress(101, 101, 0, 0, 0, 0.0)


def test_what_an_earlier_run_has_done_is_left_alone() -> None:
    crew = Crew()
    run(crew, plan(done=frozenset(["local", *TENANTS[:98]])), Kept()).go()
    assert sorted(crew.begun) == TENANTS[98:]


def test_a_failed_canary_is_the_last_stack_that_was_begun() -> None:
    crew = Crew(lambda job: Done(job.stack, problem="" if job.stack == "local" else "no"))
    result = run(crew, plan(most=50), Kept()).go()
    assert len(crew.begun) == 2
    assert len(result.not_begun) == 99
    assert "first tenant" in result.stopped


@pytest.mark.parametrize("how", [{"locked": "ops@there"}, {"problem": "its state is damaged", "unreadable": True}])
def test_a_canary_that_nobody_could_work_on_is_replaced_by_another(how: dict[str, Any]) -> None:
    """It says nothing about the others: one stack must not keep a fleet from an urgent change."""
    first = WANTED.stages[1].stacks[0]
    crew = Crew(lambda job: Done(job.stack, **how) if job.stack == first else Done(job.stack))
    result = run(crew, plan(most=3), Kept()).go()
    assert (result.failed, result.not_begun, result.stopped) == ([first], [], "")
    assert crew.begun[1:3] == [first, WANTED.stages[2].stacks[0]], "the next one went alone in its place"
    crew = Crew(lambda job: Done(job.stack, **how) if job.stack == first else Done(job.stack, problem="no"))
    crew.answer = lambda job: Done(job.stack) if job.stack == "local" else Done(job.stack, problem="no")
    assert len(run(crew, plan(most=50), Kept()).go().outcomes) == 2, "and a failure of that one ends the run"


def test_a_platform_is_not_destroyed_while_a_tenant_could_not_be_opened() -> None:
    crew = Crew(lambda job: Done(job.stack, locked="ops@there" if job.stack == TENANTS[0] else ""))
    wanted = plan(operation="destroy", stages=stages({"local"}, TENANTS[:1], canary=True, destroys=True), most=50)
    assert run(crew, wanted, Kept()).go().not_begun == ["local"]


def test_failures_beyond_the_budget_end_the_run_and_only_they_are_to_be_tried_again() -> None:
    wanted = plan(stages=stages((), TENANTS, canary=False), most=2)
    kept = Kept()
    result = run(Crew(lambda job: Done(job.stack, problem="no")), wanted, kept).go()
    assert len(result.failed) in (3, 4), "one more may have been in flight"
    assert len(result.not_begun) == 100 - len(result.failed)
    assert kept.done == {}, "a failure is no work done"
    assert not result.interrupted


def test_a_stop_lets_what_is_in_flight_end_and_begins_nothing_more() -> None:
    kept = Kept()
    crew = Crew()
    going = run(crew, plan(stages=stages((), TENANTS, canary=False)), kept)
    crew.answer = lambda job: (going.stop(), Done(job.stack))[1] if len(kept.done) == 9 else Done(job.stack)
    result = going.go()
    assert result.interrupted
    assert len(crew.begun) == len(kept.done) == 11, "the tenth told it to stop while the eleventh was under way"
    assert len(result.not_begun) == 89


def test_a_locked_stack_is_told_at_once_or_waited_for_when_that_was_asked() -> None:
    free_from = 3 * LOCKED_SECONDS
    crew = Crew()

    def answer(job: Job) -> Done:
        return Done(job.stack, locked="somebody" if job.stack == TENANTS[1] and crew.clock < free_from else "")

    crew.answer = answer
    wanted = stages((), TENANTS[:3], canary=False)
    told = run(crew, plan(stages=wanted), Kept()).go()
    assert told.failed == [TENANTS[1]]
    crew.clock, said = 0.0, list[Progress]()
    waited = run(crew, plan(stages=wanted, wait=True), Kept(), said).go()
    assert waited.complete
    assert crew.clock >= free_from
    assert any(progress.waiting for progress in said)
    assert [f"{TENANTS[1]}: somebody"] in [list(progress.holders) for progress in said], "it says for whom"
    assert said[-1].holders == ()
    crew.clock, free_from = 0.0, 1e9
    limited = run(crew, plan(stages=wanted, wait=True, wait_seconds=60.0), Kept()).go()
    assert limited.failed == [TENANTS[1]]
    assert 60 <= crew.clock < 60 + 3 * LOCKED_SECONDS, "a holder that never ends is not waited for without end"


def test_a_dry_run_is_no_work_done() -> None:
    kept = Kept()
    assert run(Crew(), plan(dry=True), kept).go().complete
    assert kept.done == {}


def test_a_record_goes_on_with_what_is_left_unless_a_file_has_changed_meanwhile(tmp_path: Path) -> None:
    with record.opened(tmp_path, "up", "file:///state", ["a", "b"]) as held:
        held.add("a", "1")
        held.add("b", "1")
    with record.opened(tmp_path, "up", "file:///state", ["b", "a"]) as held:
        assert held.done({"a": "1", "b": "2"}) == {"a"}, "b is to become something else now"
        held.add("b", "2")
        assert held.done({"a": "1", "b": "2"}) == {"a", "b"}
        with (
            pytest.raises(OperationError, match="already runs on this machine"),
            record.opened(tmp_path, "up", "file:///state", ["a", "b"]),
        ):
            pass
    for other in (("up", "file:///other"), ("destroy", "file:///state")):
        with record.opened(tmp_path, *other, ["a", "b"]) as held:
            assert held.done({"a": "1"}) == set(), "another cell's state, or another operation, knows nothing of it"


def test_a_record_that_a_crash_cut_off_loses_its_last_line_alone(tmp_path: Path) -> None:
    with record.opened(tmp_path, "up", "b", ["a", "c"]) as held:
        held.add("a", "1")
    with held.path.open("a", encoding="utf-8") as file:
        file.write('{"stack": "c", "finger')
    with record.opened(tmp_path, "up", "b", ["a", "c"]) as again:
        assert again.done({"a": "1", "c": "1"}) == {"a"}
        again.forget()
        assert again.done({"a": "1"}) == set()
