"""Looks for sequences of rotations, crashes, people and time that nobody thought of.

Over the handler itself, the OpenAI emulator by HTTP, and Secrets Manager's labels in memory, so that a sequence takes
milliseconds. The same laws hold over the whole cell in the crash table.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from functions.rotation import making
from myflux_keys.payload import Payload, PayloadError
from tests.crash.stage import Stage
from tests.functions.fake_secrets import CURRENT, PENDING
from tests.functions.world import OVERLAP, STEPS, Killed, World

ATTEMPTS = 5
SLACK = 60
MARGIN = 3 * 86_400
LIFE = (30 + 1) * 86_400 + MARGIN
"""Interval, overlap and margin: what a key is minted with."""
FAULTS = st.sampled_from(("429", "500", "dropped", "dropped_after_apply", "truncated"))
TARGETS = st.sampled_from(
    (
        ("GET", "/api_keys$"),
        ("POST", "service_accounts/.*/api_keys$"),
        ("GET", "/models/"),
        ("POST", "projects/[^/]*/api_keys/"),
        ("DELETE", "/api_keys/"),
    )
)
CALLS = st.integers(0, 17)
"""A rotation makes 13 to 18 calls; a number beyond the last strikes nothing, or the rotation after it."""
MOMENTS = st.sampled_from(("before", "after"))
HOURS = st.sampled_from((1, 23, 25, 24 * 7, 24 * 29))
EXAMPLES = int(os.environ.get("CRASH_EXAMPLES", "40"))
FOREIGN = "a value that no rotation wrote"


class Machine(RuleBasedStateMachine):
    """`laws` at every moment between two rules; more after every rotation that AWS reports as done.

    A rule that does not apply does nothing. A precondition would let the state decide what is drawn, and how far a
    rotation came depends on the machine's speed too: Hypothesis refuses draws that differ when a sequence is repeated.
    """

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.stage = stage
        self.refuses_to_delete = False
        self._clear_faults()
        self.world = World(stage.openai_url, stage.control, monkeypatch)
        self.tokens = (f"token-{number}" for number in itertools.count(1))
        self.stopped = False
        self.by_hand: set[str] = set()

    @rule(first_is_current=st.booleans())
    def empty_secret_labels(self, first_is_current: bool) -> None:
        if not self.world.secrets.values:
            self.world.secrets.first_is_current = first_is_current

    @rule(cold=st.booleans())
    def rotate(self, cold: bool) -> None:
        """RotateSecret, and AWS's repeats to the end. It takes up what is pending, as AWS says it does."""
        self._rotate(ATTEMPTS, cold=cold)

    @rule(index=CALLS, moment=MOMENTS, cold=st.booleans(), attempts=st.sampled_from((1, ATTEMPTS)))
    def crash(self, index: int, moment: str, cold: bool, attempts: int) -> None:
        """With one attempt AWS gives up on the rotation as the crash left it."""

        def blow() -> None:
            raise Killed

        self._at(index, moment, blow)
        self._rotate(attempts, cold=cold)

    @rule(index=CALLS, moment=MOMENTS, foreign=st.booleans())
    def put_by_hand_in_the_middle(self, index: int, moment: str, foreign: bool) -> None:
        if CURRENT in self.world.secrets.labels:
            self._at(index, moment, lambda: self._put_by_hand(foreign))
            self._rotate(1, cold=False)

    @rule(index=CALLS, moment=MOMENTS)
    def cancel_in_the_middle(self, index: int, moment: str) -> None:
        self._at(index, moment, self._cancel)
        self._rotate(1, cold=False)

    @rule(foreign=st.booleans())
    def put_by_hand(self, foreign: bool) -> None:
        if CURRENT in self.world.secrets.labels:
            self._put_by_hand(foreign)

    @rule()
    def cancel(self) -> None:
        if self.world.secrets.rotation_enabled:
            self._cancel()

    @rule()
    def remove_the_pending_label(self) -> None:
        """What AWS tells people to do after a cancelled rotation."""
        if self._stuck() and not self.world.secrets.rotation_enabled:
            del self.world.secrets.labels[PENDING]

    @rule(hours=HOURS)
    def time_passes(self, hours: int) -> None:
        self.stage.advance(hours * 3600)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(name=FAULTS, call=TARGETS, times=st.integers(1, 4))
    def openai_fails(self, name: str, call: tuple[str, str], times: int) -> None:
        self.stage.control.fault(name, method=call[0], path=call[1], count=times)
        self._rotate(ATTEMPTS, cold=False)

    @rule(seconds=st.sampled_from((0.01, 5.0)))
    def a_new_key_is_refused_for_a_while(self, seconds: float) -> None:
        self.stage.control.fault("propagation_delay", seconds=seconds)
        self._rotate(ATTEMPTS, cold=False)

    @rule(refuses=st.booleans())
    def openai_deletes_or_refuses_to(self, refuses: bool) -> None:
        self.refuses_to_delete = refuses
        self._clear_faults()

    def _clear_faults(self) -> None:
        self.stage.control.clear_faults()
        if self.refuses_to_delete:
            self.stage.control.fault("old_delete_rule", count=None)

    @invariant()
    def laws(self) -> None:
        current = self._payload(CURRENT)
        assert all(life <= LIFE for life in self._lives().values()), "every key has its death on record"
        assert sum(life > 2 for life in self._lives().values()) <= 4, "however often it rotates, and whatever happens"
        if current is None or self.world.secrets.labels[CURRENT] in self.by_hand:
            return
        dies = datetime.fromisoformat(current.expires_at).timestamp()
        if self._now() < dies:
            assert self.world.accepted(current.api_key), "the live key is never ended by us"

    def _rotate(self, attempts: int, *, cold: bool) -> None:
        secrets, world = self.world.secrets, self.world
        secrets.rotation_enabled, self.stopped = True, False
        token = secrets.labels[PENDING] if self._stuck() else next(self.tokens)
        before, previous = self._lives(), self._payload(CURRENT)
        # What another rotation left behind gets the overlap; what this one lost must be dead.
        older = [key.id for key in world.live_keys().values() if not key.name.endswith(f"-{token}")]
        stored = _read(secrets.values.get(token))
        # A key that was stored long ago and never used may be too old to become the live one.
        too_old = stored is not None and before.get(stored.key_id, 0.0) < LIFE - MARGIN
        secrets.begin_rotation(token)
        done = any(self._attempt(token, cold) for _ in range(attempts))
        interrupted = self.stopped
        secrets.on_call = world.on_openai = _nothing
        self._clear_faults()
        if attempts == ATTEMPTS:
            assert done or interrupted or too_old, "AWS's repeats bring a rotation to its end"
            assert interrupted or not self._stuck(), "and the next rotation is not blocked"
        if done and secrets.labels[CURRENT] == token:
            world.check(token, *older)
            self._keeps_the_overlap(before, previous)

    def _keeps_the_overlap(self, before: dict[str, float], previous: Payload | None) -> None:
        if previous is not None and previous.key_id in before:
            life = self._lives().get(previous.key_id, 0.0)
            assert life >= min(before[previous.key_id], OVERLAP) - SLACK, "readers may hold the key before this one"

    def _attempt(self, token: str, cold: bool) -> bool:
        for step in STEPS:
            if self.stopped:
                return False
            if cold:
                self.world.restart()
            try:
                self.world.step(step, token)
            except Killed:
                self.world.restart()
                return False
            except Exception:  # noqa: BLE001 - whatever it is, AWS sees a failed step
                return False
        return not self.stopped

    def _at(self, index: int, moment: str, happens: Callable[[], None]) -> None:
        """Arms `happens` for one external call from now."""
        left = [index]

        def on_call(now: str, name: str) -> None:
            if now != moment:
                return
            left[0] -= 1
            if left[0] == -1:
                happens()

        self.world.secrets.on_call = self.world.on_openai = on_call

    def _put_by_hand(self, foreign: bool) -> None:
        """AWS abandons a rotation under way, and takes AWSPENDING off its version."""
        secrets = self.world.secrets
        value = FOREIGN if foreign else secrets.values.get(secrets.labels.get(CURRENT, "")) or FOREIGN
        token = f"by-hand-{next(self.tokens)}"
        self.by_hand.add(token)
        if self._stuck() or secrets.labels.get(PENDING) is not None:
            self.stopped = self._stuck()
            del secrets.labels[PENDING]
        secrets.put_by_hand(token, value)

    def _cancel(self) -> None:
        self.world.secrets.rotation_enabled = False
        self.stopped = True

    def _stuck(self) -> bool:
        labels = self.world.secrets.labels
        return PENDING in labels and labels[PENDING] != labels.get(CURRENT)

    def _payload(self, label: str) -> Payload | None:
        return _read(self.world.secrets.values.get(self.world.secrets.labels.get(label, "")))

    def _now(self) -> float:
        return self.stage.control.now()

    def _lives(self) -> dict[str, float]:
        now = self._now()
        return {key.id: (key.expires_at or float("inf")) - now for key in self.world.live_keys().values()}


def _nothing(moment: str, name: str) -> None:
    """Nothing happens at this call."""


def _read(value: str | None) -> Payload | None:
    try:
        return None if value is None else Payload.from_json(value)
    except PayloadError:
        return None


def _search(stage: Stage, monkeypatch: pytest.MonkeyPatch, examples: int, **more: Any) -> None:
    machine: Any = lambda: Machine(stage, monkeypatch)  # noqa: E731 - a fresh one for each example
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            # A failing sequence has 12 steps at most; making it shorter takes minutes.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            **more,
        ),
    )


def test_no_sequence_of_crashes_people_and_time_loses_or_orphans_a_key(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _search(stage, monkeypatch, EXAMPLES)


def test_the_search_finds_a_function_that_forgets_lost_keys(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "leftovers", lambda keys, key_name: [])
    monkeypatch.setattr(making, "surplus", lambda valid, tenant, held: [])
    with pytest.raises(AssertionError, match=r"nobody holds|however often it rotates"):
        _search(stage, monkeypatch, 60, derandomize=True, report_multiple_bugs=False, database=None)
