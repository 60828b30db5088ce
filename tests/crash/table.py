"""The crash table: every call of a rotation, struck by every fault, from every state that a rotation can begin in.

Owns the states, one cell's story and its judgement. Leaves out the invariants themselves (`tenant.py`) and printing
(`__main__.py`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from tests.crash.faults import BY_NAME, FAULTS, Fault
from tests.crash.script import Call
from tests.crash.stage import ATTEMPTS, Stage
from tests.crash.tenant import Tenant


@dataclass(frozen=True)
class Start:
    """How a rotation begins. `first_is_current`: what Secrets Manager does to an empty secret's first value.

    `in_overlap`: it has rotated three times just now, so a key must end before another is made;
    `lost`: an earlier try of the same rotation made a key whose value nobody has, so there is one to remove;
    `refuses_to_delete`: OpenAI deletes no key of a service account, as before September 2026.
    `cold`: each step meets a function that remembers nothing of the step before, as on another sandbox.
    """

    name: str
    first_is_current: bool = True
    with_key: bool = False
    in_overlap: bool = False
    lost: bool = False
    refuses_to_delete: bool = False
    cold: bool = False


STARTS: Final = (
    Start("empty secret, first version current"),
    Start("empty secret, first version pending", first_is_current=False),
    Start("secret with a key", with_key=True),
    Start("secret with a key, a lost key that can't be deleted", with_key=True, lost=True, refuses_to_delete=True),
    Start("secret with a key, a lost key to remove, every step cold", with_key=True, lost=True, cold=True),
    Start("secret rotated inside its overlap, twice", with_key=True, in_overlap=True),
)

COLUMNS: Final = tuple((start, fault) for start in STARTS for fault in FAULTS)
SMALL: Final = (
    (STARTS[0], BY_NAME["killed after"]),
    (STARTS[1], BY_NAME["killed after"]),
    (STARTS[4], BY_NAME["killed before"]),
    (STARTS[4], BY_NAME["killed after"]),
    (STARTS[4], BY_NAME["lost throughout"]),
    (STARTS[5], BY_NAME["killed after"]),
)
"""The columns of the default run: every call that there is, killed on either side, and lost as often as it is tried."""


@dataclass(frozen=True)
class Cell:
    """One fault at one call. `repeats`: how often AWS had to begin again. `broken` is empty for a green cell."""

    call: Call
    fault: Fault
    repeats: int
    broken: tuple[str, ...]

    @property
    def text(self) -> str:
        if self.broken:
            return "RED: " + "; ".join(self.broken)
        return "ok" if not self.repeats else f"ok, {self.repeats} repeat{'s' if self.repeats > 1 else ''}"


class Rows:
    """The cells of one start, on a stage whose Secrets Manager labels as the start asks."""

    def __init__(self, stage: Stage, start: Start) -> None:
        self._stage = stage
        self._start = start
        self.calls = self._undisturbed()
        """What the rotation calls when nothing goes wrong: the rows."""

    def _undisturbed(self) -> tuple[Call, ...]:
        tenant, token = self._begin()
        script = self._stage.script
        script.begin()
        failures = tenant.rotate(token)
        script.end()
        wrong = [*failures, *tenant.broken()]
        assert not wrong, f"a rotation that nothing disturbs ends whole: {wrong}"
        return tuple(script.calls)

    def _begin(self) -> tuple[Tenant, str]:
        """A tenant as the start has it, and the token of the rotation to come."""
        start, token = self._start, str(uuid.uuid4())
        self._stage.function.cold_steps = start.cold
        self._stage.control.clear_faults()
        if start.refuses_to_delete:
            self._stage.control.fault("old_delete_rule", count=None)
        tenant = Tenant(self._stage)
        if start.with_key:
            failures = [failure for _ in range(3 if start.in_overlap else 1) for failure in tenant.rotate()]
            assert not failures, f"the tenant's first key: {failures}"
        if start.lost:
            tenant.mint_unseen(token)
        return tenant, token

    def cell(self, index: int, fault: Fault) -> Cell:
        """Strikes the call number `index`, lets AWS repeat, judges; then rotates once more, undisturbed."""
        tenant, token = self._begin()
        script, function, broken = self._stage.script, self._stage.function, list[str]()

        def look(step: str, failure: str | None) -> None:
            wrong = tenant.outage() if failure is not None else None
            if wrong is not None:
                broken.append(f"after the failed {step}: {wrong}")

        function.after = look
        script.begin(index, fault)
        failures = tenant.rotate(token)
        script.end()
        struck = set(script.struck)
        if struck != {self.calls[index]}:
            broken.append(f"the fault struck {', '.join(map(str, struck)) or 'nothing'} instead")
        if len(failures) >= ATTEMPTS:
            broken.append(f"AWS gave up: {failures[-1]}")
        broken += tenant.broken()
        if not broken:
            afterwards = tenant.rotate()
            broken += [f"the next rotation: {wrong}" for wrong in (*afterwards, *tenant.broken())]
        broken += [f"a call that no rotation makes: {call}" for proxy in self._stage.proxies for call in proxy.take()]
        function.after = lambda step, failure: None
        return Cell(self.calls[index], fault, len(failures), tuple(broken))
