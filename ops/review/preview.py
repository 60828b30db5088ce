"""A real preview of stacks, on a copy of their state: nothing of the backend is locked or written.

Owns the copy, running the engine on it with the policy pack, and what its events say. Leaves out judging. The copy has
its own backend, passphrase and stack settings in a temporary folder. The real backend is only read, and AWS is only
asked who the caller is.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from ops.stacks.engine import Engine, OperationFailed
from ops.stacks.steps import Step, announced
from tenancy.loading import ROOT

PACK: Final = ROOT / "policies"
_BACKENDS: Final = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
_CIPHERTEXT: Final = "ciphertext"


@dataclass(frozen=True)
class Judged:
    """The pack's finding on a resource, or on the whole stack."""

    rule: str
    level: str
    urn: str
    message: str


@dataclass(frozen=True)
class Preview:
    """`deployed` is False where the backend has no state of the stack. `failure` is the engine's error."""

    stack: str
    deployed: bool
    steps: tuple[Step, ...] = ()
    judged: tuple[Judged, ...] = ()
    failure: str = ""


def obstacle(in_files: bool = False, environment: Mapping[str, str] = os.environ) -> str:
    """Why no state can be read here; empty where it can. `in_files`: the cells' files name a backend."""
    if shutil.which("pulumi", path=environment.get("PATH")) is None:
        return "no `pulumi` on PATH"
    if not in_files and not any(environment.get(name) for name in _BACKENDS):
        return f"no cell's file has `state`, and neither {' nor '.join(_BACKENDS)} is set"
    return ""


class Copies:
    """Copies of stacks' states, in a backend of their own."""

    def __init__(self, folder: Path, fleet: Path) -> None:
        project = folder / "project"
        project.mkdir()
        (folder / "state").mkdir()
        # JSON is YAML. The program is the repository's; what the engine writes beside a project stays in the folder.
        (project / "Pulumi.yaml").write_text(json.dumps(_project()), encoding="utf-8")
        self._real = Engine(folder / "logs", fleet)
        self._logs = folder / "copies"
        self._copy = Engine(
            self._logs,
            fleet,
            project,
            {
                "PULUMI_BACKEND_URL": f"file://{quote(str(folder / 'state'))}",
                "PULUMI_CONFIG_PASSPHRASE": "a copy without secrets",
            },
        )
        self._taken: dict[str, bool] = {}

    def take(self, stack: str) -> bool:
        """Copies a stack's state, once. False where there is none. Raises OperationFailed."""
        if stack not in self._taken:
            state = self._real.peek(stack)
            if state is not None:
                if _CIPHERTEXT in json.dumps(state):
                    raise OperationFailed(
                        stack,
                        "preview",
                        "its state holds encrypted values, which cannot be copied without the right to decrypt them. "
                        "No stack of this program has any: find out what wrote them.",
                        self._logs,
                    )
                state.pop("secrets_providers", None)
                self._copy.replace_state(stack, state)
            self._taken[stack] = state is not None
        return self._taken[stack]

    def preview(self, stack: str, cell: str) -> Preview:
        """Of a stack, in a cell whose platform it refers to."""
        try:
            deployed = self.take(stack)
            self.take(cell)
            self._copy.preview(stack, packs=[PACK])
        except OperationFailed as error:
            journal = self._logs / f"{stack}.preview.jsonl"
            judged = tuple(_judged(_events(journal)))
            stopped = any(one.level == "mandatory" for one in judged)
            return Preview(
                stack,
                self._taken.get(stack, False),
                tuple(filter(None, map(announced, _events(journal)))),
                judged,
                "" if stopped else error.explanation,
            )
        events = list(_events(self._logs / f"{stack}.preview.jsonl"))
        return Preview(stack, deployed, tuple(filter(None, map(announced, events))), tuple(_judged(events)))


@contextmanager
def copies(fleet: Path) -> Generator[Copies]:
    with tempfile.TemporaryDirectory(prefix="myflux-keys-copies-") as folder:
        yield Copies(Path(folder).resolve(), fleet)


def _project() -> dict[str, Any]:
    options = {"toolchain": "pip", "virtualenv": sys.prefix}
    return {"name": "myflux-keys", "main": str(ROOT), "runtime": {"name": "python", "options": options}}


def _events(journal: Path) -> Iterator[dict[str, Any]]:
    if journal.exists():
        yield from (json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines())


def _judged(events: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> Iterator[Judged]:
    for event in events:
        if found := cast(dict[str, str] | None, event["policy_event"]):
            yield Judged(
                found["policy_name"], found["enforcement_level"], found["resource_urn"] or "", found["message"].strip()
            )
