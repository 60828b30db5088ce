"""A tenant that is switched from a key to tokens, or back, by a command that may be killed, while its runtime calls.

Owns the callers, and the clock: a command that waits for readers finds the time gone by.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import openai

from local import clock
from myflux_keys import KeyReader
from myflux_keys.identity import TOKEN_SECONDS
from myflux_keys.key_life import READER_CACHE_SECONDS
from tests.commands import client
from tests.kills.cells import Counts, Operation, deployed, unless
from tests.program.gate import Asked, gate
from tests.tenants_life.conftest import MODEL, Life

PASSED_SECONDS: Final = READER_CACHE_SECONDS + TOKEN_SECONDS + 500.0
"""More than a switch waits for at once."""
_STEP_SECONDS: Final = 300.0
"""As long as a reader keeps what it has, and a third of a token's life: nothing ends unseen between two calls, however
slow the machine is."""


@dataclass
class Clock:
    """The cell's, and its readers'. It goes forward between two calls of theirs, and stands while one is made."""

    life: Life
    still: threading.Lock = field(default_factory=threading.Lock)
    callers: list[Calls] = field(default_factory=list["Calls"])

    def __call__(self) -> float:
        return clock.at(self.life.cell.home / "clock")

    def advance(self, seconds: float) -> None:
        while seconds > 0:
            before = [(calls, len(calls.answered)) for calls in self.callers]
            with self.still:
                self.life.cell.advance(min(seconds, _STEP_SECONDS))
            seconds -= _STEP_SECONDS
            for calls, answered in before:
                while len(calls.answered) == answered and not calls.failed and calls in self.callers:
                    time.sleep(0.02)


@dataclass
class Calls:
    """The models that answered, and why a call failed."""

    answered: list[str] = field(default_factory=list[str])
    failed: list[BaseException] = field(default_factory=list[BaseException])


@dataclass
class Waited:
    """Moves the clock where a command waits, which shows by two looks at AWS's clock and nothing between. Looks while
    it waits do not count: how many they are depends on the machine."""

    clock: Clock
    _looked: bool = False
    _moved: bool = False

    def __call__(self, asked: Asked) -> bool:
        looks = b"Action=GetCallerIdentity" in asked.body
        waits = looks and self._looked
        if waits and not self._moved:
            # Beside, since a command gives up on an answer that takes long.
            threading.Thread(target=self.clock.advance, args=(PASSED_SECONDS,), daemon=True).start()
        self._looked, self._moved = looks, waits
        return not waits


@contextmanager
def calling(now: Clock, slug: str) -> Generator[None]:
    """Clients call all the while: one that is kept, as in a process that has run for long, and now and then a new one.
    Fails if one call fails."""
    calls, ends = Calls(), threading.Event()

    def call() -> None:
        session = now.life.cell.session("runtime")
        with KeyReader("local", session=session, clock=now) as kept:
            for number in itertools.count(1):
                with now.still:
                    try:
                        calls.answered.append(_call(kept, slug))
                        if number % 4 == 0:
                            with KeyReader("local", session=session, clock=now) as new:
                                _call(new, slug)
                    except Exception as error:  # noqa: BLE001 - told below, by the thread that asserts
                        calls.failed.append(error)
                if calls.failed or ends.wait(0.2):
                    return

    thread = threading.Thread(target=call)
    thread.start()
    now.callers.append(calls)
    try:
        yield
    finally:
        now.callers.remove(calls)
        ends.set()
        thread.join()
    assert not calls.failed, f"a call failed, after {len(calls.answered)}: {calls.failed[0]!r}"
    assert calls.answered, "no call was made meanwhile: this shows nothing"


def _call(reader: KeyReader, slug: str) -> str:
    with reader.openai_client(slug, max_retries=0) as caller:
        return caller.responses.create(model=MODEL, input="Hello").model


def federation_rules(life: Life, slug: str) -> int:
    return len(rule_ids(life, slug))


def rule_ids(life: Life, slug: str) -> list[str]:
    with _rules(life, slug) as found:
        return list(found)


def delete_rules(life: Life, slug: str) -> None:
    """As a person does at OpenAI."""
    with _rules(life, slug) as found:
        for delete in found.values():
            delete()


@contextmanager
def _rules(life: Life, slug: str) -> Generator[dict[str, Callable[[], object]]]:
    """By id how to delete each federation rule of the tenant at OpenAI."""
    project = life.tenant(slug).project
    key = life.cell.openai.create_admin_key("a look", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=key, base_url=life.cell.openai_url) as admin:
        providers = admin.admin.organization.workload_identity_providers
        rules = providers.federation_rules
        yield {
            rule.id: partial(rules.delete, rule.id, workload_identity_provider_id=one.id)
            for one in providers.list()
            for rule in rules.list(one.id)
            if rule.name == project
        }


@contextmanager
def _calls(life: Life, slug: str) -> Generator[Counts]:
    now = Clock(life)
    with calling(now, slug):
        yield Waited(now)


def _to_tokens(slug: str) -> tuple[str, ...]:
    return ("credential", slug, "--federated", "--yes", "--reason", "a kill")


def _to_key(slug: str) -> tuple[str, ...]:
    return ("credential", slug, "--key", "--yes", "--reason", "a kill")


def without_a_key(life: Life, slugs: Sequence[str]) -> None:
    """Each was switched, so its secret is in its deletion window."""
    deployed(life, slugs)
    for slug in slugs:
        with gate(life.cell.aws_port, lambda _target, _path: False, counts=Waited(Clock(life))) as between:
            done = client.run(_to_tokens(slug), {**life.environment, "AWS_ENDPOINT_URL": between.url}, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr


def _to_tokens_wrong(life: Life, slug: str) -> list[str]:
    live, rules, file = life.live_keys(slug), federation_rules(life, slug), life.file(slug).read_text(encoding="utf-8")
    return [
        *unless(not live, f"{len(live)} live keys"),
        *unless(rules == 1, f"{rules} rules"),
        *unless("DeletedDate" in life.secret(slug), "its secret is there"),
        *unless("credential: federated" in file and "switching_from" not in file, f"its file says {file}"),
    ]


def _to_key_wrong(life: Life, slug: str) -> list[str]:
    life.settled(slug)
    live, rules, file = life.live_keys(slug), federation_rules(life, slug), life.file(slug).read_text(encoding="utf-8")
    rotates = life.secret(slug).get("RotationEnabled")
    return [
        *unless(len(live) == 1, f"{len(live)} live keys"),
        *unless(life.key_id(slug) in live, "the current key is dead"),
        *unless(rules == 0, f"{rules} rules"),
        *unless(rotates is True, "its secret does not rotate"),
        *unless("credential" not in file and "switching_from" not in file, f"its file says {file}"),
    ]


SWITCHES: Final = (
    Operation("to-tokens", deployed, _to_tokens, _to_tokens_wrong, _calls),
    Operation("to-key", without_a_key, _to_key, _to_key_wrong, _calls),
    Operation("to-tokens-own", deployed, _to_tokens, _to_tokens_wrong, _calls, own=True),
    Operation("to-key-own", without_a_key, _to_key, _to_key_wrong, _calls, own=True),
)
