"""What is asked of a worker, and what it answers. Owns the shapes; both travel between machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Operation = Literal["up", "preview", "refresh", "destroy"]


@dataclass(frozen=True)
class Job:
    """`fingerprint` is what the stack is made from where the run was asked for."""

    operation: Operation
    stack: str
    fingerprint: str
    dry: bool = False


@dataclass(frozen=True)
class Done:
    """`problem` is empty where all went well. `locked` names the lock's holder, and nothing was changed then. `mended`
    tells what was read back after a worker had been lost, `found` where the stack's secrets differed from the files
    before an `up` or a preview, which then read back first."""

    stack: str
    changes: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0
    problem: str = ""
    locked: str = ""
    mended: tuple[str, ...] = ()
    found: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problem and not self.locked
