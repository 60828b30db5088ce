"""A worker's job and its result; both are sent between machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ops.stacks.steps import UNTOUCHED, Step

Operation = Literal["up", "preview", "refresh", "destroy"]


@dataclass(frozen=True)
class Job:
    """`fingerprint` is the stack's on the machine that started the run; a worker refuses a job if its own differs.
    `refresh`: a preview compares with AWS, and leaves the state as it is; an `up` first updates the state from AWS, and
    calls the provisioner also where its input is the same."""

    operation: Operation
    stack: str
    fingerprint: str
    dry: bool = False
    refresh: bool = False


@dataclass(frozen=True)
class Done:
    """`problem` is empty where the job succeeded. `locked` names the lock's holder; nothing was changed then.
    `unreadable`: its state is damaged. `mended` says what was repaired after an engine was killed, `found` how the
    stack's secrets differed from the files before an `up` or a preview, which then refreshed first. `steps` are the
    resources that changed. `by_mark`: the engine was not started, since the stack's mark shows that `up` would change
    nothing; `unmarked` says why an `up` left no mark. `again`: the same job may succeed without a person's doing
    anything else first."""

    stack: str
    changes: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0
    problem: str = ""
    locked: str = ""
    unreadable: bool = False
    mended: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    by_mark: bool = False
    unmarked: str = ""
    again: bool = True

    @property
    def ok(self) -> bool:
        return not self.problem and not self.locked

    @property
    def unopened(self) -> bool:
        """Whether nothing was tried, since nobody could work on the stack: that says nothing about the others."""
        return bool(self.locked) or self.unreadable

    @property
    def changed(self) -> dict[str, int]:
        """How many resources changed, by the kind of change: ``{"create": 2}``."""
        return {kind: count for kind, count in self.changes.items() if kind not in UNTOUCHED}
