"""Runs one operation on one stack by Pulumi's engine, on the same project that a person runs with `pulumi`.

Owns the Automation API. Leaves out which stacks and in which order (`order`). Files keep the engine's output and each
of its events, to explain a failure and to search for leaked keys.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pulumi import automation
from pulumi.automation import events

from ops import collector, state_place
from ops.stacks import failure, mark_place, repairs
from ops.stacks.messages import Messages
from ops.stacks.steps import UNTOUCHED, Step, Steps
from ops.stacks.workspace import Stack, Workspace, pulumi_command, removed_if_empty, settings
from ops.state_place import StatePlace
from tenancy.loading import FLEET

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]

_DEPLOYMENT = 3
"""Version of the deployment's format in `export` and `replace_state`."""
_STACK = "pulumi:pulumi:Stack"
_RUN_THE_PROGRAM = ("up", "preview")
_CREATES = ("up", "preview", "destroy")
"""Of a stack that the backend has not: the engine previews no other."""
_HIDDEN = "[secret]"
"""What the engine's events show in a secret's place."""


@dataclass(frozen=True)
class Outcome:
    """What one operation did. `changes` counts resources by the kind of change: ``create``, ``same``, …

    `outputs` are the stack's, from the engine's events, without secret ones. `steps` are the resources that changed.
    """

    stack: str
    changes: dict[str, int]
    outputs: dict[str, Any]
    seconds: float
    steps: tuple[Step, ...] = ()

    @property
    def changed(self) -> int:
        return sum(count for kind, count in self.changes.items() if kind not in UNTOUCHED)


class OperationFailed(Exception):
    """The engine failed on a stack. `explanation` holds only its error messages, `output` all that it wrote."""

    def __init__(self, stack: str, operation: str, explanation: str, log: Path, output: str = "") -> None:
        super().__init__(f"{operation} of {stack} failed: {explanation}\nThe engine's complete output is in {log}.")
        self.stack = stack
        self.explanation = explanation
        self.log = log
        self.output = output


class Engine:
    """Runs operations on the stacks of one fleet. Credentials and PATH are those of this process.

    `fleet` holds tenants/ and cells/; `project` is the folder of a Pulumi.yaml, by default this repository's. Only the
    engine's process gets them and `environment`: the environment of this process is never changed. The backend is
    `at`; left out, the cell's (`ops/state_place.py`), unless `environment` names one.
    """

    def __init__(
        self,
        logs: Path,
        fleet: Path,
        project: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        at: StatePlace | None = None,
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._project = project
        self._fleet = fleet.resolve()
        self._environment = {**(environment or {}), FLEET: str(self._fleet)}
        self._at = at
        self._command = pulumi_command()

    def up(self, stack: str, *, refresh: bool = False, environment: Mapping[str, str] | None = None) -> Outcome:
        """`refresh` first updates the state from AWS. `environment` is for this operation only."""
        self._void_mark(stack)
        return self._run(stack, "up", partial(automation.Stack.up, refresh=refresh), environment)

    def preview(self, stack: str, *, packs: Sequence[Path] = (), refresh: bool = False) -> Outcome:
        """`packs` are folders of policy packs. `refresh` compares with AWS, and does not change the state."""
        preview = partial(automation.Stack.preview, policy_packs=[str(pack) for pack in packs] or None, refresh=refresh)
        return self._run(stack, "preview", preview)

    def judge(self, stack: str) -> Outcome:
        """A preview with the policy pack. Raises OperationFailed with the messages of mandatory rules."""
        return self._run(stack, "preview", partial(automation.Stack.preview, policy_packs=[str(ROOT / "policies")]))

    def refresh(self, stack: str) -> Outcome:
        self._void_mark(stack)
        return self._run(stack, "refresh", automation.Stack.refresh)

    def destroy(self, stack: str, *, remove: bool = False, dry: bool = False, refresh: bool = False) -> Outcome:
        """`remove` also removes the stack, once it has no resource. `dry` only shows what would be deleted."""
        if dry:
            return self._run(stack, "destroy", automation.Stack.preview_destroy)
        self._void_mark(stack)
        return self._run(stack, "destroy", partial(automation.Stack.destroy, remove=remove, refresh=refresh))

    def export(self, stack: str) -> str:
        """The stack's state as JSON text, an empty object for a stack that the backend has not."""
        try:
            workspace = self._workspace(self.place(stack))
            return json.dumps(self._on(stack, automation.Stack.export_stack, workspace, "export").deployment)
        except automation.StackNotFoundError:
            return "{}"

    def peek(self, stack: str) -> dict[str, Any] | None:
        """The stack's state, with its secrets still encrypted; None where the backend has no such stack."""
        command = ["stack", "export", "--stack", stack]
        environment = self.place(stack).variables | self._environment
        try:
            output = self._command.run(command, str(self._project), environment).stdout
        except automation.StackNotFoundError:
            return None
        except automation.CommandError as error:
            if repairs.usable_again(environment, stack, self._project, str(error)):
                return self.peek(stack)
            raise OperationFailed(stack, "export", failure.reason(str(error), ""), self._logs) from None
        return json.loads(output)["deployment"]

    def replace_state(self, stack: str, deployment: Mapping[str, Any]) -> None:
        """Replaces the stack's state by `deployment`, in the format of `export`."""
        workspace = self._workspace(self.place(stack))
        # Not by a first try: where the import fails, the SDK leaves its copy of the state among the temporary files.
        if self.peek(stack) is None:
            workspace.create_stack(stack)
        workspace.import_stack(stack, automation.Deployment(version=_DEPLOYMENT, deployment=dict(deployment)))

    def told(self, more: Mapping[str, str]) -> Engine:
        """Itself, with `more` in the environment of its processes."""
        told = copy.copy(self)
        told._environment = self._environment | dict(more)
        return told

    def make(self, stack: str) -> None:
        """An empty stack, which the backend must not have yet."""
        self._workspace(self.place(stack)).create_stack(stack)

    def unprotect(self, stack: str) -> None:
        """Lets every resource of the stack be deleted. Raises automation.CommandError."""
        environment = self.place(stack).variables | self._environment
        self._command.run(["state", "unprotect", "--all", "--yes", "--stack", stack], str(self._project), environment)

    def _void_mark(self, stack: str) -> None:
        """Before an operation, so that none is left if it fails or is killed. Other projects' stacks have none."""
        marks = mark_place.opened(self.place(stack).url) if self._project == ROOT else None
        if marks:
            marks.void(stack)

    def _workspace(self, place: StatePlace, environment: Mapping[str, str] | None = None) -> Workspace:
        return Workspace(
            work_dir=str(self._project),
            env_vars={**place.variables, **self._environment, **(environment or {})},
            secrets_provider=place.secrets_provider or None,
            pulumi_command=self._command,
        )

    def _inline(self, environment: Mapping[str, str] | None, held: ExitStack) -> Callable[[], None] | None:
        # Loaded here, as it takes a second: other operations run no program.
        with collector.paused():
            from ops.stacks import inline

        held.enter_context(inline.own_logging())
        return inline.runnable(self._fleet, {**os.environ, **self._environment, **(environment or {})})

    def place(self, stack: str) -> StatePlace:
        """Where the stack's state is; an empty URL where a person's own login decides it."""
        if self._at is not None:
            return self._at
        if url := self._environment.get(state_place.BACKEND):
            return StatePlace(url, self._environment.get(state_place.SECRETS, ""))
        cell = state_place.cell_of(self._fleet, stack)
        if not state_place.is_named(cell):
            # The backend that a person logged in to; `work` demands one that has an address.
            return StatePlace("")
        return state_place.of(cell)

    def _on(self, stack: str, act: Callable[[automation.Stack], T], workspace: Workspace, operation: str) -> T:
        """What `act` returns. Where the backend has no stack of that name, an operation that needs one creates it, and
        removes it again if it then has no resource."""
        selected = automation.Stack.select(stack, workspace)
        # The SDK's own `select` makes no other class.
        selected.__class__ = Stack
        try:
            return act(selected)
        except automation.StackNotFoundError:
            if operation not in _CREATES:
                raise
            workspace.create_stack(stack)
            with removed_if_empty(workspace, stack, also_after_success=operation == "preview"):
                return act(selected)
        except automation.CommandError as error:
            if not repairs.usable_again(workspace.env_vars, stack, self._project, str(error)):
                raise
            return act(selected)

    def _run(
        self, stack: str, operation: str, act: Callable[..., Any], environment: Mapping[str, str] | None = None
    ) -> Outcome:
        log = self._logs / f"{stack}.{operation}.log"
        started = time.monotonic()
        errors = Messages()
        changes: dict[str, int] = {}
        outputs: dict[str, Any] = {}
        steps = Steps()
        place = self.place(stack)
        workspace = self._workspace(place, environment)
        with log.open("a", encoding="utf-8") as text, log.with_suffix(".jsonl").open("a", encoding="utf-8") as journal:

            def on_event(event: events.EngineEvent) -> None:
                # The SDK waits five seconds for its reader of events, then returns: events may come after that.
                if journal.closed:
                    return
                line = json.dumps(vars(event), default=vars)
                journal.write(line + "\n")
                if event.resource_pre_event or event.res_outputs_event:
                    steps.hear(json.loads(line))
                if event.diagnostic_event and event.diagnostic_event.severity == "error":
                    errors.hear(event.diagnostic_event.message)
                if event.policy_event and event.policy_event.enforcement_level == "mandatory":
                    errors.hear(event.policy_event.message)
                if event.res_outputs_event:
                    outputs.update(_stack_outputs(event.res_outputs_event.metadata))
                if event.summary_event:
                    counted = event.summary_event.resource_changes
                    changes.update({events.OpType(kind).value: count for kind, count in counted.items()})

            def on_text(line: str) -> None:
                text.write(line if line.endswith("\n") else line + "\n")

            try:
                with ExitStack() as held:
                    # Beside the log, where the next operation empties it: a process that is killed removes nothing.
                    told = settings(place, log.with_suffix(".settings.yaml"))
                    act = partial(act, on_output=on_text, on_error=on_text, on_event=on_event, config_file=told)
                    if operation in _RUN_THE_PROGRAM and self._project == ROOT:
                        act = partial(act, program=self._inline(environment, held))
                    self._on(stack, act, workspace, operation)
            except automation.CommandError as error:
                text.write(str(error))
                why = failure.reason(str(error), str(errors))
                raise OperationFailed(stack, operation, why, log, str(error)) from None
        return Outcome(stack, changes, outputs, time.monotonic() - started, steps.all)


def _stack_outputs(step: events.StepEventMetadata) -> dict[str, Any]:
    """The stack's outputs where `step` is the stack's own, without secret ones; else empty."""
    if step.type != _STACK or step.new is None:
        return {}
    return {name: value for name, value in (step.new.outputs or {}).items() if value != _HIDDEN}
