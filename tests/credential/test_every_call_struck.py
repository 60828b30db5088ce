"""The switch is killed before and after each thing that it does, in both directions, in a cell of records.

The records are those of AWS and OpenAI that a switch changes, and each deployment of the stack changes them in the
engine's order, so that a kill falls between two of those too. After each of them the runtime must be able to call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from myflux_keys.identity import TOKEN_SECONDS
from myflux_keys.key_life import READER_CACHE_SECONDS
from ops.actions import credential
from ops.actions.credential import KEY, TO_KEY, TO_TOKENS, TOKENS, Phase, Switch, Target
from ops.actions.end_keys import Seen
from ops.actions.rotate import Waiting
from ops.errors import OperationError
from tests.actions.test_credential_plan import tenant

START = datetime(2026, 11, 30, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Records:
    """One tenant at AWS and OpenAI, and its file. `strike`: the number of the event at which the process is killed."""

    phase: Phase
    secret: str = "none"
    open: bool = False
    key: bool = False
    rotation: bool = False
    rule: bool = False
    identity: bool = False
    noted: tuple[Phase, datetime] | None = None
    now: datetime = START
    key_used: datetime | None = None
    key_given_until: datetime = START
    token_given_until: datetime = START
    strike: int | None = None
    events: int = 0
    minted: int = 0
    rotating: bool = False
    forced: list[str] = field(default_factory=list[str])

    def event(self, change: Callable[[], Any] | None = None) -> None:
        """One moment: killed before it, or after it."""
        for part in (None, change):
            if part is not None:
                part()
            self._check()
            self.events += 1
            if self.strike is not None and self.events > self.strike:
                self.strike = None
                raise Killed

    def _check(self) -> None:
        """A reader that starts now finds what works, and so does one that fetched before."""
        by_key = self.secret == "live" and self.open and self.key
        by_token = self.rule and self.identity
        assert by_key or by_token, "a new reader finds nothing"
        if self.secret == "live" and self.open:
            assert self.key, "a reader is given a dead key"
            self.key_given_until = self.now + timedelta(seconds=READER_CACHE_SECONDS)
        elif self.identity:
            assert self.rule, "a reader is given an identity without a rule"
            self.token_given_until = self.now + timedelta(seconds=TOKEN_SECONDS)
        assert self.key or self.now >= self.key_given_until, "a reader's cached key is dead"
        assert self.rule or self.now >= self.token_given_until, "a reader's token cannot be renewed"

    # What a switch may do and ask

    def aws_now(self) -> datetime:
        return self.now

    def write(self, phase: Phase) -> None:
        self.event(lambda: setattr(self, "phase", phase))

    def up(self, *, unprotect: bool) -> int:
        """In the engine's order; what is as it must be is left."""
        has_key, federated = "key" in self.phase, self.phase[0] == "federated"
        changed = 0
        steps: list[tuple[str, Any]] = []
        if "federated" in self.phase:
            steps.append(("rule", True))
        if not has_key:
            assert not self.rotation, "a rotation that begins after the key's end mints a key that nobody ends"
            steps.append(("key", False))
        if federated:
            steps.append(("identity", True))
        if has_key:
            steps += [("secret", "live"), ("open", not federated), ("rotation", True)]
        if not federated:
            steps.append(("identity", False))
        if "federated" not in self.phase:
            steps.append(("rule", False))
        if not has_key:
            assert unprotect, "a production cell's secret is protected"
            steps.append(("secret", "deleting"))
        for name, value in steps:
            if name == "secret" and value == "deleting" and self.secret == "none":
                continue
            if getattr(self, name) != value:
                changed += 1
                self.event(lambda name=name, value=value: setattr(self, name, value))
        return changed

    def restore(self) -> bool:
        if self.secret != "deleting":
            return False
        self.event(lambda: setattr(self, "secret", "live"))
        return True

    def secret_is_there(self) -> bool:
        return self.secret == "live"

    def look(self) -> Mapping[str, Any]:
        self.event()
        return {"asked_with": "token" if self.identity else "key", "list": {"cause": "ok"}, "call": {"cause": "ok"}}

    def keys(self) -> Seen:
        self.event()
        return Seen("active", "key_1" if self.key and self.secret == "live" else None)

    def last_use(self) -> Mapping[str, datetime | None]:
        self.event()
        return {"key_1": self.key_used} if self.key else {}

    def is_rotating(self) -> bool:
        self.event()
        return self.rotating

    def mint(self) -> str:
        self.minted += 1
        self.event(lambda: setattr(self, "key", True))
        return ""

    def stop_rotation(self) -> bool:
        self.event(lambda: setattr(self, "rotation", False))
        return not self.rotation

    def since(self, phase: Phase) -> datetime | None:
        return self.noted[1] if self.noted and self.noted[0] == phase else None

    def note(self, phase: Phase, at: datetime) -> None:
        self.event(lambda: setattr(self, "noted", (phase, at)))

    def sleep(self, seconds: float) -> None:
        self.event(lambda: setattr(self, "now", self.now + timedelta(seconds=max(seconds, 240))))


def keyed() -> Records:
    return Records(KEY, secret="live", open=True, key=True, rotation=True)


def keyless() -> Records:
    return Records(TOKENS, secret="deleting", rule=True, identity=True)


def run(records: Records, target: Target, said: list[str] | None = None, limit: float = 7200) -> None:
    waiting = Waiting(now=lambda: (records.now - START).total_seconds(), sleep=records.sleep, give_up_seconds=limit)
    report = (said if said is not None else []).append
    one = Switch(tenant(records.phase), records.phase, records, report, waiting)
    one.to_tokens() if target == "federated" else one.to_key()


def is_keyless(records: Records) -> bool:
    state = (records.phase, records.key, records.rotation, records.rule, records.identity)
    return state == (TOKENS, False, False, True, True)


def is_keyed(records: Records) -> bool:
    secret = (records.secret, records.open, records.key, records.rotation)
    return (records.phase, secret, records.rule, records.identity) == (KEY, ("live", True, True, True), False, False)


WAYS: Mapping[Target, tuple[Callable[[], Records], Callable[[Records], bool]]] = {
    "federated": (keyed, is_keyless),
    "key": (keyless, is_keyed),
}


@pytest.mark.parametrize("target", WAYS)
def test_killed_at_every_moment_the_same_command_completes_and_every_reader_is_served(target: Target) -> None:
    begin, is_done = WAYS[target]
    whole = begin()
    run(whole, target)
    assert is_done(whole)
    assert whole.events > 20
    for moment in range(whole.events):
        records = begin()
        records.strike = moment
        with pytest.raises(Killed):
            run(records, target)
        run(records, target)
        assert is_done(records), f"killed at {moment}"


@pytest.mark.parametrize("target", WAYS)
def test_killed_at_every_moment_the_other_command_turns_back(target: Target) -> None:
    begin, _ = WAYS[target]
    back: Target = "key" if target == "federated" else "federated"
    whole = begin()
    run(whole, target)
    for moment in range(whole.events):
        records = begin()
        records.strike = moment
        with pytest.raises(Killed):
            run(records, target)
        run(records, back)
        assert WAYS[back][1](records), f"killed at {moment}"


@pytest.mark.parametrize("written", [TOKENS, TO_TOKENS])
def test_a_file_that_a_person_wrote_ends_no_key_before_a_token_is_proven(written: Phase) -> None:
    """`credential: federated` stands in the file, as `new` writes it, and a key is all that is deployed."""
    records = Records(written, secret="live", open=True, key=True)
    said: list[str] = []
    run(records, "federated", said)
    assert is_keyless(records)
    assert said.index("a call with a token was answered") < said.index("no reader uses the key any more")


@pytest.mark.parametrize("written", [KEY, TO_KEY])
def test_a_file_that_a_person_wrote_ends_no_token_before_there_is_a_key(written: Phase) -> None:
    records = Records(written, secret="deleting", rule=True, identity=True)
    run(records, "key")
    assert is_keyed(records)


def test_a_file_that_a_person_set_to_a_key_in_the_middle_still_waits_for_tokens_to_end() -> None:
    records = Records(KEY, secret="live", key=True, rule=True, identity=True)
    run(records, "key")
    assert is_keyed(records)


def test_a_file_that_a_person_set_to_tokens_in_the_middle_still_waits_for_readers() -> None:
    records = Records(TOKENS, secret="live", key=True, rule=True, identity=True, key_used=START + timedelta(hours=10))
    with pytest.raises(OperationError, match=r"the key was used at .*Nothing was ended"):
        run(records, "federated")
    assert records.key


def test_a_rotation_that_ends_between_two_looks_is_not_asked_for_again() -> None:
    """The engine's own: it runs at the first look, and has brought the key by the second."""
    records = keyless()
    records.rotating = True
    looks = records.keys

    def keys() -> Seen:
        found = looks()
        records.rotating, records.key = False, True
        return found

    records.keys = keys
    run(records, "key")
    assert is_keyed(records)
    assert records.minted == 0


def test_a_key_that_somebody_still_uses_is_not_ended() -> None:
    records = keyed()
    records.key_used = START + timedelta(hours=10)
    with pytest.raises(OperationError, match=r"the key was used at .*Nothing was ended"):
        run(records, "federated")
    assert records.key
    assert (records.phase, records.secret) == (TO_TOKENS, "live")


def test_a_switch_that_waits_too_long_says_when_to_go_on() -> None:
    records = keyless()
    with pytest.raises(OperationError, match=r"tokens of bay may be valid until 2026-11-30 .*run the same command"):
        run(records, "key", limit=60)
    assert records.phase == TO_KEY
    assert records.rule


def test_a_token_that_openai_refuses_ends_nothing() -> None:
    records = keyed()
    records.look = lambda: {"asked_with": "token", "list": {"cause": "token_refused", "said": "400"}}
    with pytest.raises(OperationError, match=r"token refused \(400\)\. Nothing was ended"):
        run(records, "federated")
    assert records.key


def test_the_phases_are_the_files() -> None:
    for phase in (KEY, TO_TOKENS, TOKENS, TO_KEY):
        assert credential.phase_of(tenant(phase)) == phase
